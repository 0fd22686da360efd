#!/usr/bin/env python3
"""What the mails of this folder are expected to say, compared with what Python's codecs and its email package read.

Only what both must agree about is compared: texts whose charset Python knows, encoded words and dates that are not
broken, names of files. Prints what differs; ends with 1 then. Names of mails that Python reads otherwise stand in
`differs`, with the reason."""
import datetime
import email
import email.errors
import email.header
import email.policy
import email.utils
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
# What mail programs mean by these names is more than Python takes them for.
MEANT = {
    "iso-8859-1": "cp1252", "iso-8859-9": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "gb2312": "gb18030",
    "gbk": "gb18030", "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "shift_jis": "cp932", "windows-874": "cp874",
    "iso-8859-8-i": "iso-8859-8", "macintosh": "mac-roman", "hz-gb-2312": "hz", "utf8": "utf-8",
}
differs = {
    "words": {
        "an unknown charset in ASCII": "Python knows no such charset",
        "an unknown charset with UTF-8": "Python knows no such charset",
        "no charset stays": "Python takes it for a word",
        "base64 with foreign letters stays": "Python gives up",
        "a word that is not closed before the next": "Python takes the next one for its text",
        "a language": "Python does not know RFC 2231 here",
        "declared UTF-8 that is latin": "Python gives up",
        "a line end that is encoded becomes a blank": "Python keeps it",
        "a raw control is a blank": "Python keeps it",
    },
    "dates": {
        "a leap second": "Python refuses it",
        "a zone with a colon": "Python takes it for none",
        "ISO 8601": "not RFC 5322", "ISO 8601 with a blank": "not RFC 5322",
        "a year of three digits": "Python takes it literally",
        "GMT with a number": "Python takes GMT",
    },
}


def unescaped(text):
    end = b"\r\n"
    if text.endswith("\\c"):
        text, end = text[:-2], b""
    one = lambda m: bytes([int(m[1], 16)]).decode("latin-1") if m[1] else {"t": "\t", "\\": "\\"}[m[2]]
    return re.sub(r"\\(?:x([0-9a-f]{2})|(t|\\))", one, text).encode("latin-1") + end


def mails():
    for path in sorted(HERE.glob("*.txt")):
        name, raw = None, b""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("mail: "):
                name, raw = line[6:], b""
            elif line.startswith("|"):
                raw += unescaped(line[1:])
            elif line.startswith("expect: "):
                yield path.stem, name, raw, json.loads(line[8:])


def words_of(value):
    pieces = []
    for text, charset in email.header.decode_header(value):
        if isinstance(text, str):
            pieces.append(text)
        else:
            charset = (charset or "ascii").lower()
            pieces.append(text.decode(MEANT.get(charset, charset)))
    return "".join(pieces)


def text_of(message):
    for part in message.walk():
        if part.get_content_type() == "text/plain" and not part.is_multipart():
            charset = (part.get_param("charset") or "ascii").lower()
            payload = part.get_payload(decode=True).decode(MEANT.get(charset, charset))
            return payload.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    return None


compared, wrong = 0, []
for topic, name, raw, expected in mails():
    if name in differs.get(topic, {}):
        continue
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    said = {}
    try:
        if topic in ("charset_words", "words") and "subject" in expected:
            # compat32 keeps folds; 8-bit values become objects, which say nothing
            value = message["Subject"]
            if isinstance(value, str):
                said["subject"] = re.sub(r"[ \t]*\r?\n[ \t]+", " ", words_of(re.sub(r"\r\n", "", value).strip()))
                said["subject"] = said["subject"].replace("\t", " ")
        if topic == "charsets" or (topic == "encodings" and name in ("quoted-printable", "base64", "8bit")):
            said["text"] = text_of(message)
        if topic == "dates":
            parsed = email.utils.parsedate_to_datetime(message["Date"])
            if parsed.tzinfo is None:
                parsed = parsed.replace(tzinfo=datetime.timezone.utc)
            said["date"] = parsed.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        if topic == "ids" and "references" in expected and name == "an ordinary thread":
            said["references"] = message["References"].split()
    except (LookupError, UnicodeDecodeError, ValueError, TypeError, AttributeError, email.errors.HeaderParseError) as reason:
        if topic == "dates" and expected["date"] is None:
            compared += 1
            continue
        wrong.append(f"{topic}: {name}: Python cannot read it: {reason!r}")
    for key, value in said.items():
        compared += 1
        if value != expected[key]:
            wrong.append(f"{topic}: {name}: {key}: Python reads {value!r}, expected is {expected[key]!r}")

for line in wrong:
    print(line)
print(f"{compared} compared, {len(wrong)} differ")
sys.exit(1 if wrong or compared < 130 else 0)
