"""Hands mails in with Python's smtplib: hand_in.py PORT CA_FILE USER PASSWORD. Prints what the server said of each step."""
import smtplib
import ssl
import sys
from email.message import EmailMessage

port, ca_file, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
context = ssl.create_default_context(cafile=ca_file)


def connected():
    server = smtplib.SMTP("localhost", port, local_hostname="app.example", timeout=20)
    server.starttls(context=context)
    server.ehlo()
    return server


def mail(subject, text, to="a@there.test"):
    message = EmailMessage()
    message["From"] = "box0001@sim.test"
    message["To"] = to
    message["Subject"] = subject
    message.set_content(text)
    return message


for mechanism in ("PLAIN", "LOGIN"):
    with connected() as server:
        server.user, server.password = user, password
        print(mechanism, server.auth(mechanism, getattr(server, "auth_" + mechanism.lower()))[0])
        print("refused", server.send_message(mail(mechanism, ".\n..dots\n" * 3)))

with connected() as server:
    try:
        server.sendmail("box0001@sim.test", ["a@there.test"], b"Subject: no login\r\n\r\nx\r\n")
    except smtplib.SMTPSenderRefused as refused:
        print("without login", refused.smtp_code, refused.smtp_error.decode())
    try:
        server.login(user, "wrong")
    except smtplib.SMTPAuthenticationError as refused:
        print("wrong password", refused.smtp_code)
    server.login(user, password)
    server.send_message(mail("gr\u00fc\u00df", "sch\u00f6n\n" * 3, "gr\u00fc\u00df@there.test"))
    try:  # bytes are sent as they are
        server.sendmail("box0001@sim.test", ["a@there.test"], b"Subject: x\n\nx\n")
    except smtplib.SMTPDataError as refused:
        print("line ends", refused.smtp_code)
    print(server.sendmail("box0001@sim.test", ["a@there.test", "b@there.test"],
                          b"From: box0001@sim.test\r\nSubject: eight\r\n\r\n\xc3\xbc\r\n",
                          mail_options=["BODY=8BITMIME", "ENVID=python"], rcpt_options=["NOTIFY=FAILURE"]))
    try:
        server.sendmail("nobody@sim.test", ["a@there.test"], b"Subject: x\r\n\r\nx\r\n")
    except smtplib.SMTPSenderRefused as refused:
        print("sender", refused.smtp_code, refused.smtp_error.decode())
