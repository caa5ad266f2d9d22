/* Reads DNS answers off the wire (RFC 1035 4): bounded, no allocation, every pointer checked;
 * a compression pointer must go backwards, so loops end.  Names come out as text without the last
 * dot ("." is the root); a name with bytes that do not belong in a host name's text (dots inside
 * a label, backslash, blanks, controls, 8 bit) makes its record skipped.
 * Thread: any; pure. */
#pragma once

#include "relay/net/socket_address.h"

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_NS = 2,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_SOA = 6,
    DNS_TYPE_PTR = 12,
    DNS_TYPE_MX = 15,
    DNS_TYPE_TXT = 16,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_RRSIG = 46,
    DNS_TYPE_DNSKEY = 48,
    DNS_TYPE_TLSA = 52,
};

enum { DNS_NAME_SIZE = 256 };   /* longest name as text, with its NUL */
enum { DNS_MAX_CNAMES = 16 };   /* RFC 1034 3.6.2 sets no number; no honest chain is longer */
enum { DNS_TEXT_BYTES = 4096 }; /* of one TXT record, its strings joined; longer ones are skipped */

enum dns_rcode { DNS_RCODE_OK = 0, DNS_RCODE_SERVFAIL = 2, DNS_RCODE_NXDOMAIN = 3 };

struct dns_record {
    char name[DNS_NAME_SIZE];
    uint16_t type;
    uint32_t ttl; /* seconds */
    union {
        struct ip_address address;  /* A, AAAA */
        char target[DNS_NAME_SIZE]; /* CNAME, NS, PTR */
        struct {
            uint16_t preference;
            char host[DNS_NAME_SIZE]; /* "." for the null MX, RFC 7505; "": no host's name */
        } mx;
        struct {
            size_t len;
            char bytes[DNS_TEXT_BYTES];
        } text; /* TXT */
        struct {
            uint8_t usage, selector, matching;
            uint8_t len;
            uint8_t data[255];
        } tlsa; /* RFC 6698 2.1 */
    };
};

/* Walks the answer section. */
struct dns_message {
    struct slice wire;
    size_t first_answer;
    size_t at;          /* offset of the next record */
    unsigned n_left;    /* records of the answer section not yet read */
    unsigned n_answers; /* as the header says */
    uint8_t rcode;
    bool is_authentic; /* AD bit */
    bool is_truncated; /* TC bit */
    char question[DNS_NAME_SIZE];
    uint16_t question_type;
};

/* Header and question; false when it is no response with one question of class IN. */
bool dns_message_parse(struct slice wire, struct dns_message *out);

/* The next record of the answer section that we know and can read; false at the end, also when the
 * rest is malformed. */
bool dns_message_next(struct dns_message *message, struct dns_record *out);

/* From the first record again. */
void dns_message_rewind(struct dns_message *message);

/* Follows CNAMEs from the question to the name that carries the data; false on a loop or a chain
 * longer than DNS_MAX_CNAMES.  Rewinds. */
bool dns_message_canonical(struct dns_message *message, char out[DNS_NAME_SIZE]);

/* The next record of question_type whose owner is canonical; call dns_message_rewind() first. */
bool dns_message_next_of(struct dns_message *message, const char *canonical,
                         struct dns_record *out);

/* Whether an RRSIG is among the records that are left. */
bool dns_message_has_signature(struct dns_message *message);

bool dns_name_equal(const char *a, const char *b); /* ASCII case and a last dot ignored */
