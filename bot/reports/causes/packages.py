"""Names that tell a dependency from a package of one's own when nothing but the name is known."""

from __future__ import annotations

DISTRIBUTIONS = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "github": "PyGithub",
    "google": "the google package that is imported (google-cloud-…)",
    "grpc": "grpcio",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "magic": "python-magic",
    "multipart": "python-multipart",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "Pillow",
    "psycopg2": "psycopg2-binary",
    "rest_framework": "djangorestframework",
    "serial": "pyserial",
    "sklearn": "scikit-learn",
    "slack_sdk": "slack-sdk",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
"""Imported by one name, installed by another."""

_SAME_NAME = """
    aiofiles aiohttp aioredis aiosqlite alembic anthropic anyio apscheduler arq asyncpg bcrypt boto3 botocore celery certifi
    chardet charset_normalizer click clickhouse_connect clickhouse_driver cryptography dask databases dbos diskcache django
    docker email_validator factory faker fakeredis fastapi fastmcp filelock flask freezegun gevent gunicorn h11 h2 hiredis
    httpcore httpx hypothesis itsdangerous jinja2 joblib jsonschema kafka kombu kubernetes langchain langgraph limits locust
    loguru lxml mako markdown markupsafe matplotlib mock moto motor msgpack msgspec mypy nacl networkx nltk numpy openai
    opentelemetry orjson pandas paramiko passlib peewee pika playwright plotly polars prometheus_client prompt_toolkit
    psutil psycopg pyarrow pycurl pydantic pydantic_settings pymongo pymysql pytest pytest_asyncio pytest_mock pytz redis
    regex requests requests_mock respx responses rich ruamel scipy seaborn selenium sentry_sdk setuptools simplejson six
    slowapi sniffio sqlalchemy sqlmodel sse_starlette starlette statsd stripe structlog tabulate tenacity testcontainers
    tiktoken time_machine toml tomli torch tornado tqdm transformers trio twisted typer typing_extensions tzdata ujson
    urllib3 uvicorn uvloop vcr watchdog watchfiles websocket websockets werkzeug wrapt xmltodict zstandard
"""

LIBRARIES = {name: name for name in [*_SAME_NAME.split(), *DISTRIBUTIONS]}
"""Top-level names of widely used libraries."""

_CONVENTIONAL = """
    api app application apps auth backend bot cli client clients common conf config configs core db domain helpers
    infrastructure lib libs main models project routers schemas scripts server service services settings shared src
    support test tests tools utils web worker workers
"""

CONVENTIONAL = frozenset(_CONVENTIONAL.split())
"""What people call their own packages."""
