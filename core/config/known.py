"""The names of HAProxy's own keywords, so that one that maniple does not have yet is told apart from a mistake.

Owns: names only (manual 3, 4.1, 5.1, 5.2 and later versions up to 3.2), how many arguments follow a word of a bind or
server line, and what replaced the keywords that HAProxy itself has removed. Must not know: meanings. A name may be
listed here although maniple serves it: the registry is asked first.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    """The names of a listing; a colon stands for the space in a name of two words."""
    return frozenset(name.replace(":", " ") for name in text.split())


def _counts(none: str, one: str) -> dict[str, int]:
    return {**dict.fromkeys(none.split(), 0), **dict.fromkeys(one.split(), 1)}


KNOWN_SECTIONS = _names("""
acme cache crt-list crt-store fcgi-app healthcheck http-errors log-forward log-profile mailers peers
program resolvers ring traces userlist
""")

KNOWN_GLOBAL = _names("""
51degrees-cache-size 51degrees-data-file 51degrees-property-name-list 51degrees-property-separator acme.scheduler
anonkey busy-polling ca-base chroot close-spread-time cluster-secret cpu-affinity cpu-map cpu-policy cpu-set
crt-base daemon default-path description deviceatlas-json-file deviceatlas-log-level deviceatlas-properties-cookie
deviceatlas-separator dns-accept-family expose-deprecated-directives expose-experimental-directives external-check
fd-hard-limit force-cfg-parser-pause gid grace group h1-accept-payload-with-any-method h1-case-adjust
h1-case-adjust-file h1-do-not-close-on-insecure-transfer-encoding h2-workaround-bogus-websocket-clients
hard-stop-after harden.reject-privileged-ports harden.reject-privileged-ports.quic
harden.reject-privileged-ports.tcp http-err-codes http-fail-codes httpclient.resolvers.disabled
httpclient.resolvers.id httpclient.resolvers.prefer httpclient.retries httpclient.ssl.ca-file httpclient.ssl.verify
httpclient.timeout.connect insecure-fork-wanted insecure-setuid-wanted issuers-chain-path key-base limited-quic
load-server-state-from-file localpeer log log-send-hostname log-tag lua-load lua-load-per-thread lua-prepend-path
master-worker max-spread-checks max-threads-per-group maxcompcpuusage maxcomprate maxconn maxconnrate maxpipes
maxsessrate maxsslconn maxsslrate maxzlibmem mworker-max-reloads nbgroup nbthread no-memory-trimming no-quic node
noepoll noevports nogetaddrinfo nokqueue nopoll noreuseport nosplice numa-cpu-mapping ocsp-update.disable
ocsp-update.httpproxy ocsp-update.maxdelay ocsp-update.mindelay ocsp-update.mode pidfile pp2-never-send-local
prealloc-fd presetenv profiling.tasks quiet resetenv server-state-base server-state-file set-dumpable set-var
set-var-fmt setcap setenv shm-stats-file shm-stats-file-max-objects spread-checks ssl-default-bind-ciphers
ssl-default-bind-ciphersuites ssl-default-bind-client-sigalgs ssl-default-bind-curves ssl-default-bind-options
ssl-default-bind-sigalgs ssl-default-server-ciphers ssl-default-server-ciphersuites
ssl-default-server-client-sigalgs ssl-default-server-curves ssl-default-server-options ssl-default-server-sigalgs
ssl-dh-param-file ssl-engine ssl-load-extra-del-ext ssl-load-extra-files ssl-mode-async ssl-passphrase-cmd
ssl-propquery ssl-provider ssl-provider-path ssl-security-level ssl-server-verify ssl-skip-self-issued-ca stats
stats-file stats:maxconn stats:socket stats:timeout strict-limits thread-group thread-groups
thread-hard-limit trace tune.applet.zero-copy-forwarding tune.buffers.limit tune.buffers.reserve tune.bufsize
tune.bufsize.small tune.cli.max-payload-size tune.comp.maxlevel tune.defaults.purge tune.disable-fast-forward
tune.disable-zero-copy-forwarding tune.epoll.mask-events tune.events.max-events-at-once tune.fail-alloc
tune.fd.edge-triggered tune.glitches.kill.cpu-usage tune.h1.be.glitches-threshold tune.h1.fe.glitches-threshold
tune.h1.zero-copy-fwd-recv tune.h1.zero-copy-fwd-send tune.h2.be.glitches-threshold tune.h2.be.initial-window-size
tune.h2.be.max-concurrent-streams tune.h2.be.rxbuf tune.h2.fe.glitches-threshold tune.h2.fe.initial-window-size
tune.h2.fe.max-concurrent-streams tune.h2.fe.max-rst-at-once tune.h2.fe.max-total-streams tune.h2.fe.rxbuf
tune.h2.header-table-size tune.h2.initial-window-size tune.h2.log-errors tune.h2.max-concurrent-streams
tune.h2.max-frame-size tune.h2.zero-copy-fwd-send tune.http.cookielen tune.http.logurilen tune.http.maxhdr
tune.idle-pool.shared tune.idletimer tune.listener.default-shards tune.listener.multi-queue
tune.lua.bool-sample-conversion tune.lua.burst-timeout tune.lua.forced-yield tune.lua.log.loggers
tune.lua.log.stderr tune.lua.maxmem tune.lua.service-timeout tune.lua.session-timeout tune.lua.task-timeout
tune.max-checks-per-thread tune.max-rules-at-once tune.maxaccept tune.maxpollevents tune.maxrewrite
tune.memory.hot-size tune.notsent-lowat.client tune.notsent-lowat.server tune.pattern.cache-size
tune.peers.max-updates-at-once tune.pipesize tune.pool-high-fd-ratio tune.pool-low-fd-ratio
tune.pt.zero-copy-forwarding tune.quic.backend.max-idle-timeout tune.quic.be.cc.cubic-min-losses
tune.quic.be.max-idle-timeout tune.quic.cc-hystart tune.quic.cc.cubic.min-losses tune.quic.disable-tx-pacing
tune.quic.disable-udp-gso tune.quic.fe.cc.cubic-min-losses tune.quic.fe.max-idle-timeout
tune.quic.frontend.conn-tx-buffers.limit tune.quic.frontend.default-max-window-size
tune.quic.frontend.glitches-threshold tune.quic.frontend.max-data-size tune.quic.frontend.max-idle-timeout
tune.quic.frontend.max-streams-bidi tune.quic.frontend.max-tx-mem tune.quic.frontend.stream-data-ratio
tune.quic.listen tune.quic.max-frame-loss tune.quic.mem.tx-max tune.quic.reorder-ratio tune.quic.retry-threshold
tune.quic.socket-owner tune.quic.zero-copy-fwd-send tune.rcvbuf.backend tune.rcvbuf.client tune.rcvbuf.frontend
tune.rcvbuf.server tune.recv_enough tune.renice.runtime tune.renice.startup tune.ring.queues tune.runqueue-depth
tune.sched.low-latency tune.sndbuf.backend tune.sndbuf.client tune.sndbuf.frontend tune.sndbuf.server
tune.ssl.cachesize tune.ssl.capture-buffer-size tune.ssl.capture-cipherlist-size tune.ssl.default-dh-param
tune.ssl.force-private-cache tune.ssl.hard-maxrecord tune.ssl.keylog tune.ssl.lifetime tune.ssl.maxrecord
tune.ssl.ocsp-update.maxdelay tune.ssl.ocsp-update.mindelay tune.ssl.ssl-ctx-cache-size tune.stick-counters
tune.takeover-other-tg-connections tune.vars.check-max-size tune.vars.global-max-size tune.vars.proc-max-size
tune.vars.reqres-max-size tune.vars.sess-max-size tune.vars.txn-max-size tune.zlib.memlevel tune.zlib.windowsize uid
ulimit-n unix-bind unsetenv user warn-blocked-traffic-after wurfl-cache-size wurfl-data-file wurfl-information-list
wurfl-information-list-separator zero-warning
""")

KNOWN_PROXY = _names("""
acl backlog balance bind capture capture:cookie capture:request:header capture:response:header
clitcpka-cnt clitcpka-idle clitcpka-intvl compression cookie declare declare:capture default-server default_backend
description disabled dispatch email-alert email-alert:from email-alert:level email-alert:mailers
email-alert:myhostname email-alert:to enabled error-log-format errorfile errorfiles errorloc errorloc302 errorloc303
external-check external-check:command external-check:path filter force-be-switch force-persist fullconn guid
hash-balance-factor hash-preserve-affinity hash-type http-after-response http-check http-check:comment
http-check:connect http-check:disable-on-404 http-check:expect http-check:send http-check:send-state
http-check:set-var http-check:unset-var http-drop-request-trailers http-drop-response-trailers http-error
http-request http-response http-reuse http-send-name-header id ignore-persist load-server-state-from-file log
log-format log-format-sd log-steps log-tag max-keep-alive-queue max-session-srv-conns maxconn mode monitor-uri
monitor:fail persist persist:rdp-cookie quic-initial rate-limit rate-limit:sessions redirect retries retry-on server
server-state-file-name server-template source srvtcpka-cnt srvtcpka-idle srvtcpka-intvl stats stats:admin stats:auth
stats:enable stats:hide-version stats:http-request stats:realm stats:refresh stats:scope stats:show-desc
stats:show-legends stats:show-node stats:uri stick stick-table stick:match stick:on stick:store-request
stick:store-response tcp-check tcp-check:comment tcp-check:connect tcp-check:expect tcp-check:send
tcp-check:send-binary tcp-check:send-binary-lf tcp-check:send-lf tcp-check:set-var tcp-check:unset-var tcp-request
tcp-request:connection tcp-request:content tcp-request:inspect-delay tcp-request:session tcp-response
tcp-response:content tcp-response:inspect-delay timeout:check timeout:client timeout:client-fin timeout:client-hs
timeout:connect timeout:handshake timeout:http-keep-alive timeout:http-request timeout:queue timeout:server
timeout:server-fin timeout:server-hs timeout:tarpit timeout:tunnel transparent unique-id-format unique-id-header
use-fcgi-app use-server use_backend
""")

KNOWN_OPTIONS = _names("""
abortonclose accept-invalid-http-request accept-invalid-http-response accept-unsafe-violations-in-http-request
accept-unsafe-violations-in-http-response allbackups assume-rfc6587-ntf checkcache clitcpka contstats
disable-h2-upgrade dont-parse-log dontlognull external-check forwarded forwardfor
h1-case-adjust-bogus-client h1-case-adjust-bogus-server http-buffer-request http-drop-request-trailers
http-drop-response-trailers http-ignore-probes http-keep-alive http-no-delay http-pretend-keepalive
http-restrict-req-hdr-names http-server-close http-use-proxy-header httpchk httpclose httplog httpslog
idle-close-on-response independent-streams ldap-check log-health-checks logasap mysql-check
nolinger originalto persist pgsql-check prefer-last-server redis-check redispatch smtpchk socket-stats splice-auto
splice-request splice-response spop-check srvtcpka ssl-hello-chk tcp-check tcp-smart-accept tcp-smart-connect tcpka
tcplog transparent use-small-buffers
""")

KNOWN_BIND = _counts(
    """
accept-proxy allow-0rtt defer-accept force-sslv3 force-strict-sni force-tlsv10 force-tlsv11 force-tlsv12
force-tlsv13 generate-certificates no-alpn no-ca-names no-renegotiate no-sslv3 no-strict-sni no-tls-tickets
no-tlsv10 no-tlsv11 no-tlsv12 no-tlsv13 prefer-client-ciphers quic-force-retry renegotiate ssl strict-sni tfo
tls-tickets transparent v4v6 v6only
""",
    """
accept-netscaler-cip alpn backlog ca-file ca-ignore-err ca-sign-file ca-sign-pass ca-verify-file cc ciphers
ciphersuites client-sigalgs crl-file crt crt-ignore-err crt-list curves default-crt ecdhe expose-fd gid group
guid-prefix id idle-ping interface ktls label level maxconn mode mss name namespace nbconn nice npn process proto
quic-cc-algo quic-socket severity-output shards sigalgs ssl-max-ver ssl-min-ver tcp-md5sig tcp-ss tcp-ut thread
tls-ticket-keys uid user verify
""",
)

KNOWN_SERVER = _counts(
    """
agent-check allow-0rtt backup check check-reuse-pool check-send-proxy check-sni-auto check-ssl check-via-socks4
disabled enabled force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13 no-agent-check no-backup no-check
no-check-reuse-pool no-check-send-proxy no-check-sni-auto no-check-ssl no-renegotiate no-send-proxy no-send-proxy-v2
no-send-proxy-v2-ssl no-send-proxy-v2-ssl-cn no-sni-auto no-ssl no-ssl-reuse no-sslv3 no-tfo no-tls-tickets
no-tlsv10 no-tlsv11 no-tlsv12 no-tlsv13 no-verifyhost non-stick renegotiate send-proxy send-proxy-v2
send-proxy-v2-ssl send-proxy-v2-ssl-cn sni-auto ssl ssl-reuse stick strict-maxconn tfo tls-tickets
""",
    """
addr agent-addr agent-inter agent-port agent-send alpn ca-file cc check-alpn check-pool-conn-name check-proto
check-sni ciphers ciphersuites client-sigalgs cookie crl-file crt curves downinter error-limit fall fastinter guid
hash-key id idle-ping init-addr init-state inter interface ktls log-bufsize log-proto max-reuse maxconn maxqueue
minconn namespace npn observe on-error on-marked-down on-marked-up pool-conn-name pool-low-conn pool-max-conn
pool-purge-delay port proto proxy-v2-options redir resolve-net resolve-opts resolve-prefer resolvers rise
set-proxy-v2-tlv-fmt shard sigalgs slowstart sni socks4 source ssl-max-ver ssl-min-ver tcp-md5sig tcp-ut track
usesrc verify verifyhost weight ws
""",
)

REMOVED = {
    "appsession": "use a stick table or `cookie`",
    "bind-process": "bind lines take `thread`: process 2 of old is `thread 2/all` with `nbgroup`",
    "block": "use `http-request deny`",
    "clitimeout": "use `timeout client`",
    "contimeout": "use `timeout connect`",
    "grace": "use `hard-stop-after`",
    "monitor-net": "use `http-request return status 200` with a condition on src",
    "nbproc": "use `nbgroup`: each group is a process (and `nbthread` for more event loops than groups)",
    "redispatch": "use `option redispatch`",
    "reqadd": "use `http-request add-header`",
    "reqallow": "use `http-request allow`",
    "reqdel": "use `http-request del-header`",
    "reqdeny": "use `http-request deny`",
    "reqpass": "",
    "reqrep": "use `http-request replace-header` or `replace-uri`",
    "reqtarpit": "use `http-request tarpit`",
    "rspadd": "use `http-response add-header`",
    "rspdel": "use `http-response del-header`",
    "rspdeny": "use `http-response deny`",
    "rsprep": "use `http-response replace-header`",
    "srvtimeout": "use `timeout server`",
    "tune.chksize": "use `tune.bufsize`",
    "option forceclose": "use `option httpclose`",
    "option http-tunnel": "",
    "option http-use-htx": "",
    "option http_proxy": "",
}
"""Keyword -> what to write instead ("" where nothing is needed or there is nothing)."""
