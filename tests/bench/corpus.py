"""Log lines with a known truth: which template each was made of. Seeded; the same lines for whoever is measured.

The templates are ours, in the shapes of what public collections of labelled logs hold (file systems, schedulers, web
servers, system logs, phones) and of what services on Cloud Run print.
"""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Callable, Iterator

Line = tuple[str, str]  # (template, line)

_WORDS = [
    "alder",
    "birch",
    "cedar",
    "dogwood",
    "elder",
    "fir",
    "ginkgo",
    "hazel",
    "ironwood",
    "juniper",
    "karri",
    "larch",
    "maple",
    "nutmeg",
    "oak",
    "pine",
    "quince",
    "rowan",
    "spruce",
    "teak",
    "ulmus",
    "viburnum",
    "willow",
    "yew",
    "zelkova",
]
_NAMES = [
    "alice",
    "bob",
    "carol",
    "dave",
    "erin",
    "frank",
    "grace",
    "heidi",
    "ivan",
    "judy",
    "mallory",
    "niaj",
    "olivia",
    "peggy",
    "rupert",
    "sybil",
    "trent",
]


def _hex(rng: random.Random, length: int) -> str:
    return f"{rng.getrandbits(4 * length):0{length}x}"


def _clock(rng: random.Random) -> str:
    return f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"


VALUES: dict[str, Callable[[random.Random], str]] = {
    "num": lambda r: str(r.randrange(10 ** r.randrange(1, 7))),
    "big": lambda r: str(r.choice([-1, 1]) * r.getrandbits(63)),
    "float": lambda r: f"{r.uniform(0, 5000):.{r.randrange(1, 4)}f}",
    "ip": lambda r: ".".join(str(r.randrange(1, 255)) for _ in range(4)),
    "addr": lambda r: f"10.{r.randrange(250)}.{r.randrange(250)}.{r.randrange(250)}:{r.randrange(1024, 65536)}",
    "ip6": lambda r: ":".join(_hex(r, 4) for _ in range(8)),
    "hex": lambda r: f"0x{_hex(r, r.choice([4, 8, 12, 16]))}",
    "sha": lambda r: _hex(r, 40),
    "short": lambda r: _hex(r, 12),
    "uuid": lambda r: str(uuid.UUID(int=r.getrandbits(128))),
    "path": lambda r: (
        "/" + "/".join(r.choice(_WORDS) for _ in range(r.randrange(2, 6))) + r.choice(["", ".txt", ".log"])
    ),
    "quoted": lambda r: repr(r.choice(_WORDS) + r.choice(["", "-", " "]) + str(r.randrange(10_000))),
    "name": lambda r: r.choice(_NAMES),
    "email": lambda r: f"{r.choice(_NAMES)}.{r.choice(_WORDS)}{r.randrange(100)}@acme.example",
    "url": lambda r: (
        f"https://{r.choice(_WORDS)}.acme.example/v{r.randrange(9)}/{r.choice(_WORDS)}?id={r.randrange(10**6)}"
    ),
    "took": lambda r: f"{r.uniform(0, 900):.{r.randrange(3)}f}{r.choice(['ms', 's', 'us'])}",
    "size": lambda r: f"{r.uniform(1, 900):.1f} {r.choice(['B', 'KB', 'MB'])}",
    "iso": lambda r: (
        f"20{r.randrange(20, 30)}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}T{_clock(r)}.{r.randrange(1000):03}Z"
    ),
    "stamp": lambda r: (
        f"20{r.randrange(20, 30)}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02} {_clock(r)},{r.randrange(1000):03}"
    ),
    "clock": _clock,
    "mixed": lambda r: "".join(
        r.choice(string.ascii_letters) + str(r.randrange(10)) for _ in range(r.randrange(6, 11))
    ),
    "pod": lambda r: f"{_hex(r, 8)}9-{''.join(r.choices(string.ascii_lowercase + string.digits, k=4))}7",
}

TEMPLATES = tuple(
    """
    Receiving block blk_{big} src: /{addr} dest: /{addr}
    Received block blk_{big} of size {num} from /{ip}
    PacketResponder {num} for block blk_{big} terminating
    BLOCK* NameSystem.addStoredBlock: blockMap updated: {addr} is added to blk_{big} size {num}
    BLOCK* ask {addr} to replicate blk_{big} to datanode(s) {addr}
    BLOCK* ask {addr} to delete blk_{big}
    Verification succeeded for blk_{big}
    Got exception while serving blk_{big} to /{ip}
    attempt_{num}_{num}_m_{num}_{num} TaskAttempt Transitioned from RUNNING to SUCCEEDED
    attempt_{num}_{num}_m_{num}_{num} TaskAttempt Transitioned from RUNNING to FAILED
    Retrying connect to server: {addr}. Already tried {num} time(s); retry policy is fixed sleep (maxRetries={num}, sleepTime={num} MILLISECONDS)
    Progress of TaskAttempt attempt_{num}_{num}_r_{num}_{num} is : {float}
    Recalculating schedule, headroom=<memory:{num}, vCores:{num}>
    Failed to renew lease for [DFSClient_NONMAPREDUCE_{num}_{num}] for {num} seconds.  Will retry shortly ...
    Block broadcast_{num} stored as values in memory (estimated size {size}, free {size})
    Found block rdd_{num}_{num} locally
    Finished task {num}.{num} in stage {num}.{num} (TID {num}). {num} bytes result sent to driver
    Running task {num}.{num} in stage {num}.{num} (TID {num})
    Accepted socket connection from /{addr}
    Closed socket connection for client /{addr} which had sessionid {hex}
    Closed socket connection for client /{addr} (no session established for client)
    Expiring session {hex}, timeout of {num}ms exceeded
    Notification: {num} (n.leader), {hex} (n.zxid), {num} (n.sid), LOOKING (n.state), FOLLOWING (my state)
    Notification: {num} (n.leader), {hex} (n.zxid), {num} (n.sid), LOOKING (n.state), LEADING (my state)
    [instance: {uuid}] VM Started (Lifecycle Event)
    [instance: {uuid}] VM Paused (Lifecycle Event)
    [instance: {uuid}] Took {float} seconds to build instance.
    [instance: {uuid}] Took {float} seconds to destroy the instance on the hypervisor.
    {ip} "GET /v2/{short}/servers/detail HTTP/1.1" status: {num} len: {num} time: {float}
    {ip} "POST /v2/{short}/os-server-external-events HTTP/1.1" status: {num} len: {num} time: {float}
    {ip} "DELETE /v2/{short}/servers/{uuid} HTTP/1.1" status: {num} len: {num} time: {float}
    image {uuid} at ({path}): in use: on this node {num} local, {num} on other nodes sharing this instance storage
    Final resource view: name=node-{num} phys_ram={num}MB used_ram={num}MB phys_disk={num}GB total_vcpus={num} pci_stats=[]
    instruction cache parity error corrected
    data TLB error interrupt
    CE sym {num}, at {hex}, mask {hex}
    {num} L3 EDRAM error(s) (dcr {hex}) detected and corrected
    {num} L3 EDRAM error(s) (dcr {hex}) detected and corrected over {num} seconds
    ciod: Error reading message prefix on CioStream socket to {addr}, Connection reset by peer
    ciod: Error reading message prefix on CioStream socket to {addr}, Connection timed out
    ciod: Error loading {path}: invalid or missing program image, Permission denied
    ciod: Error loading {path}: invalid or missing program image, Exec format error
    generating core.{num}
    session opened for user root by (uid={num})
    session closed for user root
    authentication failure; logname= uid={num} euid={num} tty=NODEVssh ruser= rhost={ip}
    authentication failure; logname= uid={num} euid={num} tty=NODEVssh ruser= rhost={ip}  user=root
    Failed password for root from {ip} port {num} ssh2
    Accepted password for root from {ip} port {num} ssh2
    Received disconnect from {ip}: {num}: Bye Bye [preauth]
    Device: /dev/sda, Temperature changed {num} Celsius to {num} Celsius since last report
    DHCPDISCOVER from {ip6} via eth{num}
    DHCPACK on {ip} to {ip6} via eth{num}
    mod_jk child workerEnv in error state {num}
    jk2_init() Found child {num} in scoreboard slot {num}
    [client {ip}] Directory index forbidden by rule: {path}
    ARPT: {float}: wl0: MDNS: {num} SRV Recs, {num} TXT Recs
    AppleCamIn::systemWakeCall - messageType = {hex}
    in6_unlink_ifa: IPv6 address {hex} has no prefix
    acquire lock={num}, flags={hex}, tag="View Lock", name=systemui, ws=null, uid={num}, pid={num}
    release lock={num}, flg={hex}, tag="View Lock", name=systemui, ws=null, uid={num}, pid={num}
    onStandStepChanged {num}
    calculateCaloriesWithCache totalCalories={num}
    CBS    Loaded Servicing Stack v{num}.{num}.{num}.{num} with Core: {path}
    SQM: Failed to start upload with file pattern: {path}, flags: {hex} [HRESULT = {hex} - E_FAIL]
    order {num} of {email} failed after {took}
    user={name} login rejected from {ip}
    cannot reach {url}: connection refused
    cannot reach {url}: certificate has expired
    {iso} ERROR request {uuid} failed: upstream answered 503 in {took}
    {stamp} ERROR [worker-{num}] job {short} gave up after {num} attempts
    {stamp} WARN [worker-{num}] job {short} is slow: {took}
    {clock} commit {sha} is not an ancestor of {sha}
    relation {quoted} does not exist
    column {quoted} of relation {quoted} does not exist
    no such file: {path}
    permission denied: {path}
    token {mixed} is expired since {iso}
    pod auth-service-{pod} was evicted: node node-{num} is low on memory
    OAuth2Client could not refresh the token of {email}
    Base64Decoder could not decode {num} bytes
    duplicate key value violates unique constraint "users_email_key" detail: Key (email)=({email}) already exists.
    slow query: {float} ms for SELECT * FROM orders WHERE id = {num}
    slow query: {float} ms for SELECT * FROM carts WHERE id = {num}
    container exited with code {num} after {took}
    memory limit of {num} MiB exceeded with {num} MiB used
    """.strip().splitlines()
)
_TEMPLATES = tuple(template.strip() for template in TEMPLATES)


def made_of(template: str, rng: random.Random) -> str:
    """One line of the template, each slot filled anew."""
    pieces = template.split("{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        slot, _, rest = piece.partition("}")
        filled.append(VALUES[slot](rng) + rest)
    return "".join(filled)


def labelled(count: int, seed: int) -> list[Line]:
    """`count` labelled lines; few templates make most of them, as in life (weights 1/rank)."""
    rng = random.Random(seed)
    order = list(_TEMPLATES)
    rng.shuffle(order)
    weights = [1 / rank for rank in range(1, len(order) + 1)]
    return [(template, made_of(template, rng)) for template in rng.choices(order, weights, k=count)]


FREE = ("{path}", "{quoted}", "{name}", "{email}", "{url}", "{mixed}", "{pod}")
"""Slots filled with words, which differ from line to line as numbers do but do not look like them."""


def distinct(count: int, seed: int, *, free: bool = True) -> list[str]:
    """Lines of which no two are equal, evenly over the templates that have two slots: nothing is ever seen twice.

    `free=False` leaves the templates with slots for words out: numbers, ids, hexadecimal, addresses and times differ.
    """
    templates = [t for t in _TEMPLATES if t.count("{") >= 2 and (free or not any(slot in t for slot in FREE))]
    return list(dict.fromkeys(_endless(templates, seed, count * 2)))[:count]


def repeating(count: int, seed: int) -> list[str]:
    """A burst as services make it: three lines in four say what another one of the last thousand said, to the letter."""
    rng = random.Random(seed)
    recent: list[str] = []
    lines = []
    for _, line in labelled(count, seed):
        said = rng.choice(recent) if recent and rng.random() < 0.75 else line
        if len(recent) < 1_000:
            recent.append(line)
        elif said is line:
            recent[rng.randrange(1_000)] = line
        lines.append(said)
    return lines


def words(count: int, seed: int) -> list[str]:
    """Every line another sentence of invented words: no template, nothing to remember."""
    rng = random.Random(seed)
    vocabulary = ["".join(rng.choices(string.ascii_lowercase, k=rng.randrange(3, 10))) for _ in range(20_000)]
    return [" ".join(rng.choices(vocabulary, k=10)) for _ in range(count)]


def _endless(templates: list[str], seed: int, count: int) -> Iterator[str]:
    rng = random.Random(seed)
    for position in range(count):
        yield made_of(templates[position % len(templates)], rng)
