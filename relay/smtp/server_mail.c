#include "relay/smtp/server_internal.h"

/* Reads `FROM:<path>` or `TO:<path>`; a blank behind the colon is common and harmless. */
static enum address_problem read_path(struct slice *arguments, struct slice keyword,
                                      struct address *out)
{
    if (!slice_starts_with_ignoring_case(*arguments, keyword))
        return ADDRESS_N_PROBLEMS;
    *arguments = slice_skip(*arguments, keyword.len);
    while (slice_starts_with(*arguments, SLICE_LITERAL(" ")))
        *arguments = slice_skip(*arguments, 1);
    return address_parse_path(arguments, out);
}

static const char *const problem_texts[ADDRESS_N_PROBLEMS + 1] = {
    [ADDRESS_NO_BRACKETS] = "Write the address in angle brackets",
    [ADDRESS_HAS_ROUTE] = "Source routes are not accepted",
    [ADDRESS_BAD_LOCAL] = "Malformed address, see the part before the @",
    [ADDRESS_BAD_DOMAIN] = "Malformed address, see the part after the @",
    [ADDRESS_TOO_LONG] = "Address too long",
};

/* RFC 3463: 5.1.7 is a sender's syntax, 5.1.3 a recipient's */
static struct smtp_reply problem_reply(enum address_problem problem, uint16_t detail)
{
    return smtp_reply_with(501, SMTP_STATUS(5, 1, detail), slice_of(problem_texts[problem]));
}

/* Copies slices that look at a line into memory of the transaction; false: none left. */
static bool keep_slice(struct smtp_server *server, struct slice *slice)
{
    if (slice->len == 0) {
        *slice = SLICE_LITERAL("");
        return true;
    }
    *slice = arena_copy(&server->arena, *slice);
    return slice->data != NULL;
}

static bool keep_address(struct smtp_server *server, struct address *address)
{
    size_t domain_offset = address->whole.len - address->domain.len;

    if (!keep_slice(server, &address->whole))
        return false;
    address->local = slice_head(address->whole, address->local.len);
    address->domain = slice_skip(address->whole, domain_offset);
    return true;
}

/* <Postmaster> is ours: it means the mailbox at our own name (RFC 5321 4.5.1). */
static bool complete_postmaster(struct smtp_server *server, struct address *address)
{
    struct slice hostname = server->settings.hostname;
    size_t local_len = address->local.len;
    char *whole = arena_alloc(&server->arena, local_len + 1 + hostname.len + 1);

    if (!whole)
        return false;
    memcpy(whole, address->local.data, local_len);
    whole[local_len] = '@';
    memcpy(whole + local_len + 1, hostname.data, hostname.len);
    address->whole = slice_from(whole, local_len + 1 + hostname.len);
    address->local = slice_head(address->whole, local_len);
    address->domain = slice_skip(address->whole, local_len + 1);
    return true;
}

static bool needs_login(const struct smtp_server *server)
{
    return server->settings.needs_auth && !server->is_logged_in && !server->settings.bounces_only;
}

/* Everything about MAIL but its syntax. */
static const struct smtp_reply *find_objection(const struct smtp_server *server,
                                               const struct smtp_mail *mail)
{
    static const struct smtp_reply needs_utf8 =
        SMTP_REPLY(553, 5, 6, 7, "State SMTPUTF8 to use such an address");
    static const struct smtp_reply bounces_only =
        SMTP_REPLY(550, 5, 7, 1, "Only bounces are accepted here");

    if (mail->sender.is_utf8 && !mail->is_utf8)
        return &needs_utf8;
    if (server->settings.bounces_only && !mail->sender.is_null)
        return &bounces_only;
    return NULL;
}

/* The old transaction, if MAIL starts anew, ends before the new sender is asked about. */
static enum smtp_step begin_transaction(struct smtp_server *server, const struct smtp_mail *mail)
{
    enum smtp_step ended = smtp_end_transaction(server);

    server->mail = *mail;
    if (!keep_address(server, &server->mail.sender) || !keep_slice(server, &server->mail.envid)) {
        (void)smtp_end_transaction(server);
        (void)smtp_answer(server, SMTP_REPLY(452, 4, 3, 1, "Out of memory, try again shortly"));
        return ended;
    }
    if (ended == STEP_NONE)
        return smtp_ask(server, SMTP_STEP_SENDER);
    server->next_step = SMTP_STEP_SENDER;
    return ended;
}

enum smtp_step smtp_on_mail(struct smtp_server *server, struct slice arguments)
{
    struct smtp_parameters into = {.size_limit = server->settings.size_limit};
    const struct smtp_reply *objection;
    enum address_problem problem;

    if (needs_login(server))
        return smtp_answer_error(server, SMTP_REPLY(530, 5, 7, 0, "Authentication required"));
    problem = read_path(&arguments, SLICE_LITERAL("FROM:"), &into.mail.sender);
    if (problem == ADDRESS_N_PROBLEMS)
        return smtp_answer_error(server, SMTP_REPLY(501, 5, 5, 4, "Syntax: MAIL FROM:<address>"));
    if (problem == ADDRESS_OK && into.mail.sender.is_postmaster)
        problem = ADDRESS_BAD_DOMAIN;
    if (problem != ADDRESS_OK)
        return smtp_answer_error(server, problem_reply(problem, 7));
    objection = smtp_read_mail_parameters(arguments, &into);
    if (!objection)
        objection = find_objection(server, &into.mail);
    if (objection)
        return smtp_answer_error(server, *objection);
    return begin_transaction(server, &into.mail);
}

void smtp_sender_decided(struct smtp_server *server, struct smtp_reply reply)
{
    (void)smtp_answer(server, reply);
    if (smtp_reply_is_positive(reply))
        server->state = SMTP_HAS_SENDER;
    else
        (void)smtp_end_transaction(server);
}

/* A list with twenty bad rows must not cost a customer the rest of the session; strangers, who
 * reach RCPT only where bounces come in, may be guessing addresses. */
static enum smtp_step refuse_recipient(struct smtp_server *server, struct smtp_reply reply)
{
    if (server->settings.bounces_only && smtp_reply_is_permanent(reply))
        return smtp_answer_error(server, reply);
    return smtp_answer(server, reply);
}

static enum smtp_step ask_recipient(struct smtp_server *server,
                                    const struct smtp_recipient *recipient)
{
    struct smtp_recipient *kept = &server->recipient;

    *kept = *recipient;
    if (!(kept->address.is_postmaster ? complete_postmaster(server, &kept->address)
                                      : keep_address(server, &kept->address)) ||
        !keep_slice(server, &kept->orcpt))
        return smtp_answer(server, SMTP_REPLY(452, 4, 5, 3, "Too many recipients"));
    return smtp_ask(server, SMTP_STEP_RECIPIENT);
}

enum smtp_step smtp_on_rcpt(struct smtp_server *server, struct slice arguments)
{
    struct smtp_parameters into = {.is_utf8 = server->mail.is_utf8};
    const struct smtp_reply *objection;
    enum address_problem problem;

    server->has_tried_recipients = true;
    /* Those before stay valid (RFC 5321 4.5.3.1.10); no error: the client sends the rest next. */
    if (server->n_recipients >= server->settings.max_recipients)
        return smtp_answer(server, SMTP_REPLY(452, 4, 5, 3, "Too many recipients"));
    problem = read_path(&arguments, SLICE_LITERAL("TO:"), &into.recipient.address);
    if (problem == ADDRESS_N_PROBLEMS)
        return smtp_answer_error(server, SMTP_REPLY(501, 5, 5, 4, "Syntax: RCPT TO:<address>"));
    if (problem == ADDRESS_OK && into.recipient.address.is_null)
        problem = ADDRESS_BAD_LOCAL;
    if (problem != ADDRESS_OK)
        return refuse_recipient(server, problem_reply(problem, 3));
    objection = smtp_read_rcpt_parameters(arguments, &into);
    if (objection)
        return smtp_answer_error(server, *objection);
    if (into.recipient.address.is_utf8 && !server->mail.is_utf8)
        return refuse_recipient(
            server, SMTP_REPLY(553, 5, 6, 7, "State SMTPUTF8 in MAIL to use such an address"));
    return ask_recipient(server, &into.recipient);
}

void smtp_recipient_decided(struct smtp_server *server, struct smtp_reply reply)
{
    if (!smtp_reply_is_positive(reply)) {
        (void)refuse_recipient(server, reply);
        return;
    }
    server->n_recipients++;
    server->state = SMTP_HAS_RECIPIENT;
    (void)smtp_answer(server, reply);
}
