/* What a client says about one login, one sender, one recipient (RFC 4954, 5321, 3461).
 * Thread: any; values only, the slices are the session's. */
#pragma once

#include "relay/smtp/address.h"
#include "relay/smtp/envelope_parameters.h"

struct smtp_login {
    struct slice user, password;
};

struct smtp_mail {
    struct address sender;
    uint64_t size; /* as stated; 0: not stated */
    enum smtp_body_kind body;
    enum smtp_ret ret;
    bool is_utf8;       /* SMTPUTF8 was stated */
    bool has_priority;  /* MT-PRIORITY was, RFC 6710 */
    int8_t priority;    /* -9 to 9 */
    struct slice envid; /* xtext as received, printable when decoded; empty: none */
};

struct smtp_recipient {
    struct address address;
    uint8_t notify;     /* bits of enum smtp_notify; 0: not stated */
    struct slice orcpt; /* "rfc822;xtext" as received, printable when decoded; empty: none */
};
