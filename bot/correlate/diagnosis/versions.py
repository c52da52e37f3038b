"""Parts that are there but do not fit each other: package versions, module systems, runtimes, native libraries."""

from __future__ import annotations

from bot.correlate.diagnosis.known import Known, known, words
from bot.correlate.diagnosis.rule import STARTUP_ECHOES

_PACKAGE = r"(?P<package>[\w.@/-]{2,120})"

_CONFLICT = Known(
    says=words(
        rf"(?:ContextualVersionConflict|VersionConflict): \({_PACKAGE} [^\n]{{1,200}}",
        rf"(?:DistributionNotFound|PackageNotFoundError): (?:The ')?(?:No package metadata was found for )?{_PACKAGE}",
        rf"{_PACKAGE}[^\n]{{0,40}} (?:has requirement|requires) [^\n]{{1,120}}(?:but you (?:have|'ll have)|which is (?:not installed|incompatible))",
        rf"ImportError: {_PACKAGE}[<>=~! \d.,]{{1,40}} is required[^\n]{{0,200}}",
        r"\b(?:NoSuchMethodError|NoSuchFieldError|AbstractMethodError|IncompatibleClassChangeError|IllegalAccessError): '?(?P<package>[^\n]{1,160})",
        r"\bLinkageError: (?P<package>[^\n]{1,160})",
        r"UnsupportedClassVersionError: (?P<package>[\w./$]{1,160})|compiled by a more recent version of the Java Runtime",
        r"\bERR_REQUIRE_ESM\b|require\(\) of ES Module (?P<package>\S{1,200})",
        r"ERR_PACKAGE_PATH_NOT_EXPORTED|Package subpath '(?P<package>[^'\n]{1,120})' is not defined by \"exports\"",
        r"Cannot use import statement outside a module|ERR_UNKNOWN_FILE_EXTENSION|does not provide an export named '(?P<package>[\w$]{1,100})'|exports is not defined in ES module scope|require is not defined in ES module scope",
        r"was compiled against a different Node\.js version|NODE_MODULE_VERSION|ERR_DLOPEN_FAILED|invalid ELF header",
        r"version [`'](?P<package>(?:GLIBC|GLIBCXX|CXXABI)_[\d.]{1,12})' not found|Error relocating \S{1,200}: \S{1,120}: symbol not found|undefined symbol: (?P<package>\w{1,160})",
        r"numpy\.dtype size changed|A module that was compiled using NumPy 1\.x|numpy\.core\.multiarray failed to import|binary incompatibility|_ARRAY_API not found",
        r"Could not load file or assembly '(?P<package>[^',\n]{1,120})[^\n]{0,200}(?:manifest definition does not match|Could not find or load a specific)|MissingMethodException: (?P<package>[^\n]{1,120})|TypeLoadException",
        r"You must install or update \.NET|compatible framework version|The framework '(?P<package>[\w.]{1,80})', version '[^'\n]{1,20}'[^\n]{0,40}was not found",
        r"Gem::(?:ConflictError|LoadError|MissingSpecVersionError)|You have already activated (?P<package>[\w.-]{1,80})|Your Ruby version is \S{1,20}, but your Gemfile specified|Bundler could not find compatible versions",
        r"Your Composer dependencies require a PHP version|composer detected issues in your platform",
        r"The engine \"node\" is incompatible|Unsupported engine|ERESOLVE unable to resolve|Query [Ee]ngine (?:library )?for (?:current platform|runtime) [^\n]{0,80}could not be (?:found|located)|Prisma Client could not locate the Query Engine",
        r"Descriptors cannot be created directly|Detected incompatible Protobuf|runtime_version\.VersionError|[Ii]ncompatible (?:library |package |runtime )?versions?\b",
        r"PydanticUserError|PydanticImportError|`BaseSettings` has been moved|has been removed in V2",
        r"got an unexpected keyword argument '(?P<package>proxies|allowed_methods|method_whitelist|as_tuple)'",
    ),
    title="Versions do not fit: `{package}`",
    bare="Versions of packages or of the runtime do not fit each other",
    explanation="What is installed in the image is another version than the code (or another package) was written for: an unpinned dependency or a changed base image.",
    advice="Pin the versions (lock file) and the base image's tag, build again and run the image once before you deploy it, or {revert}",
    rollback_helps=True,
    documentation="https://packaging.python.org/en/latest/discussions/install-requires-vs-requirements/",
    confidence=0.9,
)

RULES = (known("version_conflict", _CONFLICT, explains=STARTUP_ECHOES | {"signal"}),)
