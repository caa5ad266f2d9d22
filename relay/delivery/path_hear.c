/* What a mail host said, reply by reply. */
#include <stdio.h>

#include "relay/delivery/path_test.h"

void path_print_reply(const struct smtp_reply *reply, char out[PATH_TEXT])
{
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;

    smtp_reply_print_line(&text, *reply);
    slice_copy_to(slice_head(buffer_slice(&text), text.len < PATH_TEXT ? text.len : PATH_TEXT - 1),
                  out, PATH_TEXT);
}

static enum path_word word_of(const struct smtp_reply *reply, enum path_word good,
                              enum path_word later, enum path_word refused)
{
    if (smtp_reply_is_positive(*reply))
        return good;
    return smtp_reply_is_temporary(*reply) ? later : refused;
}

static void tell_reply(struct path_test *test, enum path_word word, const char *text)
{
    test->is_told = true;
    PATH_TELL(test, word, text);
}

/* What is said to MAIL and RCPT names whom it is about. */
static void hear_envelope(struct path_test *test, enum smtp_phase phase,
                          const struct smtp_reply *reply, const char *text)
{
    if (phase == SMTP_PHASE_MAIL) {
        PATH_TELL(test, word_of(reply, PATH_MAIL_GOOD, PATH_MAIL_LATER, PATH_MAIL_REFUSED),
                  *test->sender ? test->sender : "<>", text);
        test->mail_is_refused = !smtp_reply_is_positive(*reply);
    } else if (!test->mail_is_refused) {
        PATH_TELL(test, word_of(reply, PATH_RCPT_GOOD, PATH_RCPT_LATER, PATH_RCPT_REFUSED),
                  test->recipient, text);
    }
}

void path_hear(void *owner, enum smtp_phase phase, const struct smtp_reply *reply)
{
    struct path_test *test = owner;
    bool is_good = smtp_reply_is_positive(*reply);
    char text[PATH_TEXT];

    path_print_reply(reply, text);
    if (phase == SMTP_PHASE_BANNER)
        tell_reply(test, is_good ? PATH_BANNER_GOOD : PATH_BANNER_REFUSED, text);
    else if (phase == SMTP_PHASE_EHLO)
        snprintf(test->ehlo, sizeof(test->ehlo), "%s", text);
    else if (phase == SMTP_PHASE_STARTTLS && reply->code != 220)
        tell_reply(test, PATH_TLS_REFUSED, text);
    else if (phase == SMTP_PHASE_AUTH && reply->code != 334)
        tell_reply(test, is_good ? PATH_AUTH_GOOD : PATH_AUTH_REFUSED, text);
    else if (phase == SMTP_PHASE_MAIL || phase == SMTP_PHASE_RCPT)
        hear_envelope(test, phase, reply, text);
    else if (phase == SMTP_PHASE_QUIT)
        PATH_TELL(test, PATH_QUIT_GOOD, NULL);
}
