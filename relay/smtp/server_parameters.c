#include "relay/smtp/server_internal.h"
#include "relay/smtp/xtext.h"

/* RFC 1870 5, RFC 3461 4.4 and 4.2 */
enum { SIZE_DIGITS_MAX = 20, ENVID_MAX = 100, ORCPT_MAX = 500 };

struct parameter {
    struct slice keyword;
    /* NULL, or the objection */
    const struct smtp_reply *(*read)(struct smtp_parameters *into,
                                     const struct esmtp_parameter *given);
};

static const struct smtp_reply bad_value = SMTP_REPLY(501, 5, 5, 4, "Bad parameter value");
static const struct smtp_reply too_big = SMTP_REPLY(552, 5, 3, 4, "Message too big");

/* Digits that no number holds are a size too big; more than 20 of them are no size. */
static const struct smtp_reply *read_size(struct smtp_parameters *into,
                                          const struct esmtp_parameter *given)
{
    for (size_t i = 0; i < given->value.len; i++)
        if (given->value.data[i] < '0' || given->value.data[i] > '9')
            return &bad_value;
    if (given->value.len == 0 || given->value.len > SIZE_DIGITS_MAX)
        return &bad_value;
    if (!slice_to_number(given->value, into->size_limit, &into->mail.size))
        return &too_big;
    return NULL;
}

static const struct smtp_reply *read_body(struct smtp_parameters *into,
                                          const struct esmtp_parameter *given)
{
    static const struct smtp_reply no_binary =
        SMTP_REPLY(555, 5, 5, 4, "BODY=BINARYMIME is not supported");

    if (slice_equal_ignoring_case(given->value, SLICE_LITERAL("7BIT")))
        into->mail.body = SMTP_BODY_7BIT;
    else if (slice_equal_ignoring_case(given->value, SLICE_LITERAL("8BITMIME")))
        into->mail.body = SMTP_BODY_8BITMIME;
    else if (slice_equal_ignoring_case(given->value, SLICE_LITERAL("BINARYMIME")))
        return &no_binary;
    else
        return &bad_value;
    return NULL;
}

static const struct smtp_reply *read_smtputf8(struct smtp_parameters *into,
                                              const struct esmtp_parameter *given)
{
    into->mail.is_utf8 = true;
    return given->has_value ? &bad_value : NULL;
}

/* Whom another relay authenticated (RFC 4954 5).  Checked and not believed: who sends is who
 * logged in here. */
static const struct smtp_reply *read_auth(struct smtp_parameters *into,
                                          const struct esmtp_parameter *given)
{
    (void)into;
    if (slice_equal(given->value, SLICE_LITERAL("<>")))
        return NULL;
    return given->value.len && xtext_is_printable(given->value) ? NULL : &bad_value;
}

static const struct smtp_reply *read_ret(struct smtp_parameters *into,
                                         const struct esmtp_parameter *given)
{
    if (slice_equal_ignoring_case(given->value, SLICE_LITERAL("FULL")))
        into->mail.ret = SMTP_RET_FULL;
    else if (slice_equal_ignoring_case(given->value, SLICE_LITERAL("HDRS")))
        into->mail.ret = SMTP_RET_HDRS;
    else
        return &bad_value;
    return NULL;
}

static const struct smtp_reply *read_envid(struct smtp_parameters *into,
                                           const struct esmtp_parameter *given)
{
    into->mail.envid = given->value;
    return given->value.len && given->value.len <= ENVID_MAX && xtext_is_printable(given->value)
               ? NULL
               : &bad_value;
}

/* ["-"] 1*DIGIT, -9 to 9; RFC 6710 4.1 */
static const struct smtp_reply *read_priority(struct smtp_parameters *into,
                                              const struct esmtp_parameter *given)
{
    bool is_negative = given->value.len > 0 && given->value.data[0] == '-';
    struct slice digit = slice_skip(given->value, is_negative);

    if (digit.len != 1 || digit.data[0] < '0' || digit.data[0] > '9' ||
        (is_negative && digit.data[0] == '0'))
        return &bad_value;
    into->mail.has_priority = true;
    into->mail.priority = (int8_t)(digit.data[0] - '0');
    if (is_negative)
        into->mail.priority = (int8_t)-into->mail.priority;
    return NULL;
}

static const struct {
    struct slice word;
    uint8_t bit;
} notify_words[] = {
    {SLICE_LITERAL("NEVER"),   SMTP_NOTIFY_NEVER  },
    {SLICE_LITERAL("SUCCESS"), SMTP_NOTIFY_SUCCESS},
    {SLICE_LITERAL("FAILURE"), SMTP_NOTIFY_FAILURE},
    {SLICE_LITERAL("DELAY"),   SMTP_NOTIFY_DELAY  },
};

static uint8_t notify_bit(struct slice word)
{
    for (size_t i = 0; i < sizeof(notify_words) / sizeof(notify_words[0]); i++)
        if (slice_equal_ignoring_case(notify_words[i].word, word))
            return notify_words[i].bit;
    return 0;
}

/* "NEVER" / 1#("SUCCESS" / "FAILURE" / "DELAY"), each once */
static const struct smtp_reply *read_notify(struct smtp_parameters *into,
                                            const struct esmtp_parameter *given)
{
    struct slice rest = given->value;
    ptrdiff_t comma;
    uint8_t bits = 0;

    do {
        struct slice word;
        uint8_t bit;

        comma = slice_find(rest, ',');
        word = comma < 0 ? rest : slice_head(rest, (size_t)comma);
        bit = notify_bit(word);
        if (!bit || bits & bit)
            return &bad_value;
        bits |= bit;
        rest = slice_skip(rest, word.len + 1);
    } while (comma >= 0);
    if (bits & SMTP_NOTIFY_NEVER && bits != SMTP_NOTIFY_NEVER)
        return &bad_value;
    into->recipient.notify = bits;
    return NULL;
}

static bool is_address_type(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = ascii_lower(text.data[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return text.len > 0;
}

/* addr-type ";" xtext; with SMTPUTF8 "utf-8" ";" UTF-8 (RFC 6533 3) */
static const struct smtp_reply *read_orcpt(struct smtp_parameters *into,
                                           const struct esmtp_parameter *given)
{
    ptrdiff_t semicolon = slice_find(given->value, ';');
    struct slice type, address;

    if (semicolon < 0 || given->value.len > ORCPT_MAX)
        return &bad_value;
    type = slice_head(given->value, (size_t)semicolon);
    address = slice_skip(given->value, type.len + 1);
    if (address.len == 0 || !is_address_type(type))
        return &bad_value;
    into->recipient.orcpt = given->value;
    if (xtext_is_printable(address))
        return NULL;
    return into->is_utf8 && slice_equal_ignoring_case(type, SLICE_LITERAL("utf-8")) &&
                   address_is_clean_utf8(address)
               ? NULL
               : &bad_value;
}

static const struct parameter mail_parameters[] = {
    {SLICE_LITERAL("SIZE"),        read_size    },
    {SLICE_LITERAL("BODY"),        read_body    },
    {SLICE_LITERAL("SMTPUTF8"),    read_smtputf8},
    {SLICE_LITERAL("AUTH"),        read_auth    },
    {SLICE_LITERAL("RET"),         read_ret     },
    {SLICE_LITERAL("ENVID"),       read_envid   },
    {SLICE_LITERAL("MT-PRIORITY"), read_priority},
};
static const struct parameter rcpt_parameters[] = {
    {SLICE_LITERAL("NOTIFY"), read_notify},
    {SLICE_LITERAL("ORCPT"),  read_orcpt },
};

struct parameter_table {
    const struct parameter *rows;
    size_t n_rows;
};

static const struct smtp_reply *read_parameter(const struct parameter_table *table,
                                               const struct esmtp_parameter *given,
                                               struct smtp_parameters *into, unsigned *seen)
{
    static const struct smtp_reply unknown = SMTP_REPLY(555, 5, 5, 4, "Unknown parameter");
    static const struct smtp_reply twice = SMTP_REPLY(501, 5, 5, 4, "Parameter given twice");

    for (size_t i = 0; i < table->n_rows; i++) {
        if (!slice_equal_ignoring_case(table->rows[i].keyword, given->keyword))
            continue;
        if (*seen & 1U << i)
            return &twice;
        *seen |= 1U << i;
        return table->rows[i].read(into, given);
    }
    return &unknown;
}

static const struct smtp_reply *read_parameters(const struct parameter_table *table,
                                                struct slice rest, struct smtp_parameters *into)
{
    static const struct smtp_reply malformed = SMTP_REPLY(501, 5, 5, 4, "Malformed parameter");
    const struct smtp_reply *objection = NULL;
    struct esmtp_parameter given;
    unsigned seen = 0;

    if (rest.len && rest.data[0] != ' ') /* <a@b>SIZE=3 */
        return &malformed;
    while (!objection) {
        switch (esmtp_parameter_next(&rest, &given)) {
        case ESMTP_PARAMETER:
            objection = read_parameter(table, &given, into, &seen);
            break;
        case ESMTP_PARAMETER_MALFORMED:
            return &malformed;
        case ESMTP_PARAMETERS_END:
            return NULL;
        }
    }
    return objection;
}

const struct smtp_reply *smtp_read_mail_parameters(struct slice rest, struct smtp_parameters *into)
{
    static const struct parameter_table table = {mail_parameters, sizeof(mail_parameters) /
                                                                      sizeof(mail_parameters[0])};

    return read_parameters(&table, rest, into);
}

const struct smtp_reply *smtp_read_rcpt_parameters(struct slice rest, struct smtp_parameters *into)
{
    static const struct parameter_table table = {rcpt_parameters, sizeof(rcpt_parameters) /
                                                                      sizeof(rcpt_parameters[0])};

    return read_parameters(&table, rest, into);
}
