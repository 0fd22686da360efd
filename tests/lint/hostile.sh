#!/usr/bin/env bash
# Hostile inputs and faults: each row below has a test that carries its number as a tag, [hostile-N]. Prints row → tests and
# fails when a row has none, when a tag names a row that is not here, or when docs/hostile.md says otherwise.
# --write brings docs/hostile.md up to date.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
page=docs/hostile.md

# N | short name | what is done to us | what Rohrpost does
rows() {
    cat <<'ROWS'
1|bytes before TLS|Bytes come after the answer to STARTTLS and before the handshake (response injection).|The upgrade fails with `bytes_before_tls`; nothing is sent. Commands that come to us behind STARTTLS end the session before TLS.
2|no TLS to be had|STARTTLS is missing, refused or stripped; the server speaks in the clear.|IMAP is dialled with TLS from the first byte. A provider that wants `starttls` for IMAP is not connected to at all: its mailboxes need help, with that reason. In the clear nobody hears more than a TLS hello, or EHLO and STARTTLS where SMTP begins so.
3|PREAUTH|The greeting, or the first answer to AUTH, claims that we are logged in.|Refused; nothing is sent, no secret.
4|no greeting|Something else comes first, then "please authenticate".|Closed at the first line that is no greeting.
5|capabilities before TLS|Capabilities are announced before TLS or before the login.|IMAP has no dialogue before TLS; what was announced before TLS or before the login is forgotten with it.
6|bad certificates|Wrong host name, expired, self-signed, NUL in the name, unknown authority.|Refused with the flaw's name. There is no switch that ignores certificates; a private authority is a file (`ca_file`) of one provider.
7|reuse of a connection|A connection or a ticket serves an account or a demand on TLS that it was not opened for.|Every IMAP session and every token request has a connection of its own. TLS tickets are kept for each host, port and set of trusted authorities.
8|truncated TLS|The connection ends without close_notify in a literal.|`truncated`: the body is not stored as complete; a large one is resumed.
9|stalled handshake|The handshake stalls, or a byte comes each minute.|Each phase has a deadline, each body a least rate.
10|restart in the data|The server restarts, or its connection breaks, while a mail is handed over.|The phase is kept: in doubt only when the last byte was sent, no reply came, and somebody was not refused.
11|endless replies|A reply of SMTP without end, of 1 GB, with NUL or 8-bit bytes, with codes that differ between its lines.|At most 4 KiB a line, 256 lines and 64 KiB a reply, then the connection ends. A bare LF ends no line.
12|reply text|A reply's text has line ends or control bytes and goes on into queue, reports and pages.|Text of a reply is one line of valid UTF-8 without controls before anybody sees it.
13|line ends in arguments|CR, LF, NUL in an address, EHLO name, ENVID, ORCPT, user or secret, or in a field of a mail that comes as JSON.|Refused with the name of the field; nothing is sent, nothing is cleaned up silently.
14|smuggling|Bare CR or LF, lone dots, `<LF>.<CR><LF>` and their relatives in a body.|What is canonical is sent with its dots doubled; what is not ends the connection before any byte that could end the mail. Strict and careless readers see exactly one mail. What applications send us ends at CRLF.CRLF alone; a mail with a CR or LF by itself is refused after its end (550 5.6.11), a command with one ends the session.
15|354 for nobody|DATA is accepted although every recipient was refused.|A lone dot; its reply counts for nothing.
16|some recipients|Some recipients are accepted; 452 for too many.|Each recipient has its own verdict.
17|421|The server leaves, in any phase or while nobody asks.|It answers everything that is owed: a refusal for now, never a doubt. The connection is not used again.
18|early reply|A refusal comes before the mail was sent whole.|The rest is not sent, the refusal stands, also when the server stops reading or hangs up.
19|replies out of count|Success where none can be, one reply too many or too few.|The connection is not used again; a mail that was sent whole is in doubt, not delivered.
20|chunks in part|BDAT is accepted in part, then refused or cut off.|The first refusal stands and ends the sequence; no sequence is continued elsewhere.
21|too little offered|SIZE below the mail's, no 8BITMIME, no SMTPUTF8.|Parts with 8-bit bytes are encoded on their way. What is not to be had otherwise (a signed part must not change) is said with its reason before a byte of the mail is sent.
22|capabilities without end|10,000 lines of capabilities; mechanisms downgraded to PLAIN.|Bounded as row 11; no other mechanism than asked for, ever.
23|error challenge|334 with an error, and the server waits.|One answer (an empty line, or 0x01), the error is kept; a second challenge ends the connection.
24|a fresh token is refused|535 at the log-in, also with a token that was made a moment ago.|The token is replaced at once and the new one tried, once; then the account waits with the server's words and the doctor's remedy. No mail fails.
25|a token that ends soon|501 5.5.127: the server wants a token that lives longer.|Successors are asked for 600 to 900 s ahead anyway; a token that is refused all the same is replaced at once, as in row 24.
26|limits|432 concurrency, 5.2.252 and 554 quota, 451 throttling.|Understood as what they are: fewer connections, or a pause of the account or the mailbox. No mail fails or bounces.
27|tar-pits|A server takes everything at a byte a second.|Each step has a deadline and each body a least rate; the others' desks and sessions do not notice.
28|a report bounces|Our report of a failed mail is itself refused.|Reports have the null sender and reach the application alone; there is no report about a report.
29|huge literal|A literal of 4 GiB or more is announced, then silence.|Nothing is allocated by an announced size. The message is pending with "larger than …", is not asked for again, and those behind it come.
30|huge sets|`APPENDUID`, `COPYUID`, `VANISHED` of 1:4294967295.|Sets stay ranges; codes that nobody asked for are ignored.
31|floods|Untagged responses for ever; a tagged one with a foreign tag.|A limit for each command; only our own tag completes one. The connection is closed.
32|deep nesting|Lists, JSON or MIME parts, 100,000 levels deep; parts by the million.|Depth limits in parsers without recursion. On its way the MIME of a body is walked only where a part has to be encoded, with bounded memory: 64 levels, 10,000 such parts. The JSON view ends at 50 levels or 2,000 parts, and says so.
33|mailbox names|`..`, `/`, NUL, broken or huge UTF-7.|Names are bytes; a path gets one harmless segment made of the mailbox's id.
34|early ID|`* ID (` before the login, malformed.|As row 4.
35|COMPRESS|A deflate bomb.|COMPRESS is never asked for; a server that begins it by itself is cut off at the limit of a line.
36|UIDs that lie|Falling order, one UID for two messages, a UID beyond UIDNEXT, UIDVALIDITY 0, another one, or another at each opening.|Under another UIDVALIDITY each message is compared with the ledger, and exactly what is new is fetched; never re-baselined. One that is missing or changes more than three times a day, and UIDs in disorder, freeze the folder with the reason. Answers in falling order are taken, the cursor waits for the lowest.
37|wrong data|FETCH is OK without data, or with another message's.|The UID in the answer decides; what did not come is pending with its reason and asked for again.
38|BYE at any time|BYE in a fetch, in IDLE.|What was complete stays; the next session goes on behind it.
39|lists that do not fit|POP3: the same UIDL twice, LIST and UIDL of different messages, a line without end, an answer without its last dot.|Lines and listings have limits. Lists that name different messages are refused, and nothing is removed by them; copies that share a UIDL are messages of their own; without its dot a message is none.
40|DELE without QUIT|POP3: the connection is lost after DELE and before the answer to QUIT.|What was removed is not known, and shows with the next listing; whatever comes again is in the ledger.
41|huge headers|A header value of 50 MB, a million fields or parts, unknown charsets, broken base64.|The header scan is bounded, and no other parser sees a body on its way in: the bytes are handed off as they came. The JSON view of such a mail has what was read up to the limit, and says why it ends there.
42|callbacks|A callback with a missing, foreign, made-up or replayed `state`; a code that comes twice; a callback in another browser than the one that began.|Refused. A state counts once, for ten minutes, where it was made; a sign-in that was begun on a page of the console is finished only by the browser that began it (a cookie of its own), one of `rohrpost authorize` by its state.
43|mix-up|A code or a token of another provider, tenant or person.|`iss` is checked where it is sent, PKCE (S256) always; the id_token must be for this client, nonce and account. Nothing is stored, and both names are said.
44|other redirect URL|The console is reached under another name, by a proxy's header or a link; somebody tries to use it as an open redirect.|Only the external URL counts: 421 with both names on every page, forwarded headers are ignored, a log-in leads to our own pages alone. Console and services server with different external URLs say so.
46|token endpoint|429 with and without Retry-After, 5xx, HTML, 100 MB, trickling, `expires_in` 0, negative, text, huge.|Bounded in bytes and time; pauses with spread; lifetimes clamped; the old token serves until its real end.
47|lost rotation|A rotated refresh token is received, and the process dies before it is stored.|Nobody gets the access token before the refresh token is durable; the one before it is kept and tried.
48|refresh storms|10,000 wait for one grant; 10,000 grants end in one minute.|One request for each grant; refreshes are spread over minutes, at most eight at a time at one host.
49|clock jumps|The wall clock jumps by an hour or a year.|Deadlines and pauses are monotonic; a token that looks valid ends at the server's word.
50|leaks|Secrets in logs, traces, answers, metrics, files, core files.|Secrets have a type that cannot be printed and are sealed at rest; no core file is ever written.
51|webhook to the inside|A webhook's URL, or a redirect of its receiver, leads to 169.254.169.254, loopback or a private network; its name resolves to something else the next time.|The addresses of its name are checked whenever a connection is opened, and connected to as checked; private ones only where `--webhook-networks` names them. Nobody follows a redirect; the body of an answer is never shown.
52|receiver that fails|A webhook is slow, says 500 for a day, answers with no HTTP or 1 GB, takes mail and loses it.|Bounded in bytes and time; it delays no other consumer; what it did not take waits with growing pauses, `Retry-After` is heeded. An outage sets nothing aside but one mail; `mailbox replay` hands off again.
53|markup|HTML or script in whatever servers and people write: reasons, names, codes, addresses.|Everything is escaped where markup is made (no other way in); pages have no scripts and a strict CSP.
54|console under attack|Guessing the token, forms of other sites, planted sessions, huge bodies without log-in.|Guesses are counted by peer and in all (10 and 100 a minute), probes and callbacks go on; each form carries its session's token and must come from our own origin; the session's id is made at log-in; 64 KiB is the most that is read of who shows no token.
55|power cut|At any write, torn and reordered.|What was acknowledged is there; what was not is invisible or whole.
56|failed sync|fsync fails once.|Never tried again: the store stops, the daemon ends with 74 and recovers at the next start.
57|no room|ENOSPC, or no inode, at any call.|The group is refused, acknowledgements go through on the reserve, intake resumes without a restart.
58|damaged bodies|A flipped bit, a truncated or deleted segment.|The record that was hit is set aside with its reason (`mailbox show`, `status`, `rohrpost_messages_set_aside_total`); its segment is kept, and the next message is handed off.
59|zeros at the tail|Zeros or old bytes behind the end, and recovery dies too.|Recovery is idempotent.
60|kill -9|At any moment, and twice in recovery.|As row 55.
61|poison message|A message that crashes a parser.|No parser sees a body on its way: a bounded scan of the header is all. The JSON view is made when somebody asks for it, on a thread of its own, by readers that are linear and bounded, whatever the bytes; the mail itself is handed off raw in any case.
62|swallowed errors|A store error is ignored by its caller.|Whatever call fails: the job that needed it hears, and nothing that was promised is missing.
68|little of everything|Limits of descriptors, memory, threads.|When descriptors are few, mailboxes are visited in turn, and say why; mail passes in the memory budget; too few threads end the start with 71.
69|DNS|No such name, silence, a changed address, a black hole.|Nothing is cached, failures neither; a silent name holds one lookup and delays no other; addresses race 250 ms apart.
70|versions|A newer or older store, another program's.|A newer one is refused with what to do; an older one is brought up to date in one transaction; the way back is in operation.md.
ROWS
}

# "N name-of-test" for each tag.
tagged() {
    find tests -name '*.cpp' | LC_ALL=C sort | xargs perl -0777 -ne '
        while (/TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+),\s*"([^"]*)"/g) {
            my ($name, $tags) = ($1, $2);
            $name =~ s/"\s*"//g; $name =~ s/^"|"\s*$//g; $name =~ s/\\(.)/$1/g;
            print "$1\t$name\n" while $tags =~ /\[hostile-(\d+)\]/g;
            print STDERR "$ARGV: [hostile-…] stands in the name of \"$name\", not in its tags\n" if $name =~ /\[hostile-/;
        }'
}

all=$(tagged)
others='1[0-9]|2[0-8]|45|6[3-7]'  # rows of other parts of the house; their tests may carry tags, too
bad=0
text="# Hostile inputs and faults

What servers, disks and systems do to Rohrpost, what it does then, and the tests that show it. Each test carries the row's
number as a tag: \`build/release/bin/tests_unit '[hostile-29]'\`. This page is written by \`tests/lint/hostile.sh --write\`, and
checked by the same script: a row without a test fails.

| row | what is done to us | what Rohrpost does | tests |
| --: | --- | --- | --- |
"
known=""
while IFS='|' read -r row name done_to_us does; do
    known="$known $row "
    tests=$(awk -F '\t' -v row="$row" '$1 == row { print $2 }' <<<"$all")
    if [ -z "$tests" ]; then
        echo "row $row ($name): no test carries [hostile-$row]" >&2
        bad=1
    fi
    echo "row $row ($name)"
    sed 's/^/    /' <<<"$tests"
    text+="| $row | $done_to_us | $does | $(sed 's/|/\\|/g' <<<"$tests" | paste -sd ';' | sed 's/;/; /g') |
"
done < <(rows)
while IFS=$'\t' read -r row name; do
    [[ $known == *" $row "* || $row =~ ^($others)$ ]] && continue
    echo "\"$name\" carries [hostile-$row], which is no row" >&2
    bad=1
done <<<"$all"
if grep -rn 'TEST_CASE' tests --include='*.cpp' -A1 | grep -E '\[hostile-[0-9]+\]"?,' | grep -v '"\[' >&2; then
    echo "a tag stands in the name of a test" >&2
    bad=1
fi
[ "${1:-}" = --write ] && printf '%s' "$text" >"$page"
if ! diff -u "$page" <(printf '%s' "$text") >&2; then
    echo "$page is not what the tests say: tests/lint/hostile.sh --write" >&2
    bad=1
fi
exit "$bad"
