/* `staffetta sink`: a test receiver that takes mail as told and keeps what it took.
 *
 *   staffetta sink --listen ADDR:PORT [--tls CERT,KEY] [--dir DIR] [--count] [--script FILE]
 *                  [--trace FILE]
 *
 * DIR/new/N holds the octets of message N as sent, unstuffed; DIR/new/N.json, written before it,
 * its envelope: {"from","to","helo","peer","tls","at"} and the parameters of MAIL and RCPT.
 * --count prints what was seen, as JSON, at SIGTERM (or SIGINT).  The script: sink_script.h; the
 * trace: sink_trace.h.
 * It has its own reader of SMTP, strict and small, so that no defect of relay/smtp can hide in it.
 * Thread: main; one loop. */
#pragma once

int sink_main(int argc, char **argv); /* argv[0] is "sink"; returns an exit code of sysexits.h */
