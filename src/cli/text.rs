//! What stands below the options in `--help`: examples, where things go, the next step.

pub(super) const ROOT_NEXT: &str = "Start with `finesse-tap demo`; `--help` tells more than `-h`.";

pub(super) const ROOT_MORE: &str = "\
First steps:
  finesse-tap demo                                 see it work; needs nothing
  finesse-tap doctor uccxpub.example.com           can it work with your server?
  finesse-tap run --upstream uccxpub.example.com   between desktop and server
  finesse-tap ca                                   make the browser trust it

Where things go, below the working directory unless said otherwise:
  captures/        the log: finesse-HOST-TIME-RUN-NNNN.ndjson
  certs/HOST/      ca.pem, for the browser to trust; ca.key, to be kept secret
  standard error   facts at the start, a live view, the operational log

Exit codes: 0 done, 1 failed, 2 the command line, environment or configuration file is wrong.

Next: `finesse-tap run --help` tells how to point a browser at it.";

pub(super) const RUN_NEXT: &str = "`finesse-tap run --help` tells how to point a browser at it.";

pub(super) const RUN_MORE: &str = "\
Examples:
  finesse-tap run --upstream uccxpub.example.com --browse
  finesse-tap run --upstream uccxpub.example.com \\
    --resolve uccxpub.example.com:10.1.2.3
  finesse-tap run --upstream uccxpub.example.com --upstream-pin sha256:5d0f…
  finesse-tap run --upstream uccxpub.example.com --upstream uccxsub.example.com
  finesse-tap run --upstream uccxpub.example.com \\
    --route 7443=uccxpub.example.com --route 8444=cuic.example.com
  finesse-tap run --upstream uccxpub.example.com --capture - --quiet |
    jq -r .message

Pointing a browser at it: the browser must ask for the server by its real name and port.
  One browser alone, in a profile of its own:
    --browse, or `finesse-tap browse` in another terminal.
  All programs on this machine:
    by the line `127.0.0.1 uccxpub.example.com` in /etc/hosts or C:\\Windows\\System32\\drivers\\etc\\hosts, which \
`finesse-tap hosts` puts there; then --resolve tells the proxy the real address, and the browser must trust the CA: \
`finesse-tap ca --upstream uccxpub.example.com` says how.
  https://localhost:8445/desktop:
    best effort, see --rewrite.

Environment: every option is also a variable, FINESSE_TAP_ and its name in capitals; lists take commas:
  FINESSE_TAP_UPSTREAM=uccxpub.example.com
  FINESSE_TAP_MAX_LINE_BYTES=16000
  FINESSE_TAP_LISTEN=127.0.0.1:8445,[::1]:8445
  FINESSE_TAP_QUIET=true
An empty variable counts as unset, an unknown one is warned about. Options win over variables, variables over the \
--config file.

Configuration file: the same names with underscores, such as
  upstream = \"uccxpub.example.com\"
  listen = [\"127.0.0.1:8445\", \"[::1]:8445\"]
  route = [\"7443=uccxpub.example.com\", \"8444=cuic.example.com:8444\"]
  max_line_bytes = 16000
  quiet = true

Signals: Ctrl-C and SIGTERM end the run in good order; once more, and it does not wait for connections (exit code 130). \
SIGHUP (Ctrl-Break on Windows), as `finesse-tap reload`, reads the configuration again, cuts no connection, and begins a \
new capture file; if the configuration is bad, nothing changes, and the log says why.

Next: `finesse-tap ca`, then open the desktop in the browser and watch.";

pub(super) const DEMO_MORE: &str = "\
Examples:
  finesse-tap demo
  finesse-tap demo --agents 20 --capture demo-captures
  finesse-tap demo --keep      look around with a browser, end with Ctrl-C
  finesse-tap demo --capture - 2>/dev/null | jq -r .message

The variables FINESSE_TAP_CAPTURE, FINESSE_TAP_CERTS and so on count here as they do for `run`.

Next: `finesse-tap run --upstream HOST`.";

pub(super) const CA_MORE: &str = "\
Examples:
  finesse-tap ca
  finesse-tap ca --upstream uccxpub.example.com
  finesse-tap ca --export for-the-browser-machine

The variable FINESSE_TAP_CERTS counts here too.

Next: run the command shown for your system, restart the browser, open the desktop.";

pub(super) const SCAN_MORE: &str = "\
Examples:
  finesse-tap scan case-1234.zip
  finesse-tap scan desktop.har --secrets-file my-passwords.txt
  finesse-tap scan captures --for auth     as they are: credentials only
  finesse-tap scan log.txt --format json | jq -r .kind | sort | uniq -c

Hits are certain, likely or possible. What cannot be looked at (encrypted, an archive in an archive, more than text unpacks to) \
is a hit, too. Of a directory every file below it is looked at. In binary files only the secrets of --secrets-file are \
looked for, and that is said.

Exit codes: 0 nothing found, 1 something is left or a file cannot be read, 2 the command line is wrong.";
pub(super) const SHARE_MORE: &str = "\
Examples:
  finesse-tap share captures/*.ndjson -o case-1234.zip
  finesse-tap share captures/*.ndjson -o case-1234.zip \\
    --user 1001 --since 2026-01-15T09:00:00Z
  finesse-tap share captures/*.ndjson -o case-1234.zip \\
    --stable-tokens certs/tokens.key --note \"login fails\"
  finesse-tap share captures -o issue.zip --level minimal
  finesse-tap share captures -o case-1234.zip \\
    --encrypt-to age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p

Next: unzip -p case-1234.zip report.txt, and read it before you hand the bundle on.";

pub(super) const RESOLVE_MORE: &str = "\
Examples:
  finesse-tap resolve u-7h2k9m4q1x
  finesse-tap resolve t-0s8d6f4g2h h-5j7k9m1n3p.invalid --key certs/tokens.key";

pub(super) const IMPORT_MORE: &str = "\
Examples:
  finesse-tap import desktop.har
  finesse-tap import *.har -o case-1234 --max-line-bytes 1000000
  finesse-tap import desktop.har -o - | jq -r .message

How to get a HAR that holds the login: open DevTools (F12), Network, \"Preserve log\", then load the desktop and sign in, then \
\"Export HAR\". The WebSocket must be opened while DevTools is: of one that was open before, nothing is recorded.

What Chrome's \"sanitized\" HAR leaves in: it drops Cookie, Set-Cookie and Authorization. WebSocket messages stay as they \
were, so the SASL message with the agent's password is in it, and so are tokens in URLs and in bodies. Do not mail a HAR.

What a HAR cannot tell, and the capture does not make up: pings and pongs, fragments, compression, TLS, the browser's address, \
bytes on the wire, when and how connections ended; HTTP Toolkit alone notes close codes. Setting `unknown` in the first line of \
the capture lists it. Sizes are those of what the HAR holds.

Exit code 1 if a file is damaged; what could be read of it is in the capture all the same. \
The variables of these options count here too, such as FINESSE_TAP_REDACT.

Next: `finesse-tap export text captures/*.ndjson -o -`.";

pub(super) const EXPORT_MORE: &str = "\
Examples:
  finesse-tap export har captures/*.ndjson -o case.har
  finesse-tap export pcapng captures/*.ndjson -o case.pcapng
  finesse-tap export text captures/*.ndjson -o - --xml | less

Lines of a capture are at most 8,000 bytes long unless --max-line-bytes said otherwise when it was made: longer stanzas are cut \
in exports too, and their number is said. Where a payload was never kept, a mark with its size stands in for it.

har
  For Chrome DevTools: Network, Import HAR. Requests, and WebSockets with their messages, open ones included. Numbers that \
are not known are -1. What finesse-tap decoded is under _xmpp and _finesse. Keep-alive frames (ping, pong) have no \
place in a HAR.
pcapng
  For Wireshark: filter websocket, or xmpp. Interface http: made-up TCP, one stream a connection, with HTTP and WebSocket \
frames; 443 appears as port 80, since there is no TLS in it. Interface xmpp: each stanza as an exported PDU. A packet's \
comment is its gist.
text
  Time in UTC, session, direction and gist; keep-alives are left out.

Next: open it, or hand it over; what it holds is what the capture's redaction level left.";

pub(super) const RELOAD_MORE: &str = "\
Examples:
  finesse-tap reload
  finesse-tap reload --certs /var/lib/finesse-tap/certs --pid 4711

The run's options and environment are those it was started with, so what can change is its --config file, and the files that \
options name (certificates, keys). Routes that go are closed to new connections; those they have live on. Limits, receivers, \
--certs, --admin, --keylog, --log-format, --browse and, while captures are delivered, --capture stay as they are until a restart, \
which is said. Exit code 1 if nothing \
was changed.

The variable FINESSE_TAP_CERTS counts here too.";

pub(super) const COMPLETIONS_MORE: &str = "\
Where shells look for it:
  finesse-tap completions bash \\
    > ~/.local/share/bash-completion/completions/finesse-tap
  finesse-tap completions zsh > DIR/_finesse-tap        # DIR being in $fpath
  finesse-tap completions fish > ~/.config/fish/completions/finesse-tap.fish
  finesse-tap completions powershell >> $PROFILE";

pub(super) const MAN_MORE: &str = "\
Examples:
  finesse-tap man | man -l -
  finesse-tap man --out ~/.local/share/man/man1";
