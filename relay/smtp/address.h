/* Mailboxes and paths of the envelope (RFC 5321 4.1.2, RFC 6531 3.3).  An address means what stands
 * behind its last "@" outside quotes; local parts are opaque and go on octet for octet, so "%", "!"
 * and quotes in them never route anywhere.
 * Thread: any; values only, the slices look into what was parsed. */
#pragma once

#include "relay/base/slice.h"

/* local-part limits are lenient (VERP makes long ones; RFC 5321 4.5.3.1.1 asks for 64 at least). */
enum { ADDRESS_LOCAL_MAX = 256, ADDRESS_DOMAIN_MAX = 255 };

struct address {
    struct slice whole;  /* local@domain as given, without brackets; empty for <> */
    struct slice local;  /* as given, with its quotes */
    struct slice domain; /* as given; a literal with its brackets; UTF-8 stays UTF-8 */
    bool is_utf8;        /* a byte above 0x7f somewhere */
    bool is_literal;     /* the domain is [192.0.2.1] or [IPv6:...] */
    bool is_null;        /* <>, the sender of bounces */
    bool is_postmaster;  /* <Postmaster> without domain, in a path only (RFC 5321 4.5.1) */
};

enum address_problem {
    ADDRESS_OK,
    ADDRESS_NO_BRACKETS, /* a path that is not in < > */
    ADDRESS_HAS_ROUTE,   /* <@relay:user@domain>, refused rather than ignored */
    ADDRESS_BAD_LOCAL,
    ADDRESS_BAD_DOMAIN, /* also: trailing dot, all-numeric last label, look-alike of a dot or "@" */
    ADDRESS_TOO_LONG,
    ADDRESS_N_PROBLEMS
};

/* Path = "<" Mailbox ">" / "<>" / "<Postmaster>"
 * Reads one at the start of *text and steps over it; on a problem *text and *out are untouched.
 * UTF-8 is accepted and noted: whether SMTPUTF8 was stated is the caller's to ask. */
enum address_problem address_parse_path(struct slice *text, struct address *out);

/* Mailbox = Local-part "@" ( Domain / address-literal )      the whole of text */
enum address_problem address_parse_mailbox(struct slice text, struct address *out);

/* Domain = sub-domain *( "." sub-domain ), ASCII or UTF-8; what EHLO, config and rules need too. */
bool address_is_domain(struct slice text);

/* Well-formed UTF-8 without NUL, controls (C0, C1, DEL) and surrogates. */
bool address_is_clean_utf8(struct slice text);
