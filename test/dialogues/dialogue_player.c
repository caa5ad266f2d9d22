#include "test/dialogues/dialogue_player.h"

#include <stdio.h>
#include <stdlib.h>

#include "test/dialogues/dialogue_text.h"

void player_complain(struct player *player, const char *what, struct slice wanted, struct slice got)
{
    player->has_failed = true;
    printf("%s:%u: (pieces of %zu) %s\n  wanted: ", player->file, player->line_number,
           player->piece, what);
    dialogue_print_escaped(wanted);
    printf("\n  got:    ");
    dialogue_print_escaped(got);
    printf("\n");
}

static void note_mail(struct player *player)
{
    static const char *const bodies[] = {"", " body=7BIT", " body=8BITMIME"};
    static const char *const rets[] = {"", " ret=FULL", " ret=HDRS"};
    const struct smtp_mail *mail = &player->server.mail;
    struct slice sender = mail->sender.is_null ? SLICE_LITERAL("<>") : mail->sender.whole;

    buffer_printf(&player->events, "MAIL %.*s", (int)sender.len, sender.data);
    if (mail->size)
        buffer_printf(&player->events, " size=%llu", (unsigned long long)mail->size);
    buffer_printf(&player->events, "%s%s%s", bodies[mail->body], mail->is_utf8 ? " utf8" : "",
                  rets[mail->ret]);
    if (mail->envid.len)
        buffer_printf(&player->events, " envid=%.*s", (int)mail->envid.len, mail->envid.data);
    buffer_append_byte(&player->events, '\n');
}

static void note_recipient(struct player *player)
{
    static const char *const words[] = {"NEVER", "SUCCESS", "FAILURE", "DELAY"};
    const struct smtp_recipient *recipient = &player->server.recipient;
    const struct address *address = &recipient->address;
    const char *separator = " notify=";

    buffer_printf(&player->events, "RCPT %.*s@%.*s", (int)address->local.len, address->local.data,
                  (int)address->domain.len, address->domain.data);
    for (unsigned i = 0; i < 4; i++) {
        if (!(recipient->notify & 1U << i))
            continue;
        buffer_printf(&player->events, "%s%s", separator, words[i]);
        separator = ",";
    }
    if (recipient->orcpt.len)
        buffer_printf(&player->events, " orcpt=%.*s", (int)recipient->orcpt.len,
                      recipient->orcpt.data);
    buffer_append_byte(&player->events, '\n');
}

static void note_login(struct player *player)
{
    const struct smtp_login *login = &player->server.login;

    buffer_printf(&player->events, "AUTH %.*s %.*s\n", (int)login->user.len, login->user.data,
                  (int)login->password.len, login->password.data);
}

static void note_message(struct player *player)
{
    const struct body_reader *body = &player->server.body;

    buffer_printf(&player->events, "END octets=%llu longest=%u%s\n",
                  (unsigned long long)body->n_octets, body->longest_line,
                  body->is_eight_bit ? " 8bit" : "");
}

static struct smtp_reply default_login_reply(struct player *player)
{
    const struct smtp_login *login = &player->server.login;

    return slice_equal(login->user, SLICE_LITERAL("alice@example.org")) &&
                   slice_equal(login->password, SLICE_LITERAL("wonderland"))
               ? SMTP_REPLY(235, 2, 7, 0, "Authentication successful")
               : SMTP_BAD_LOGIN;
}

static struct smtp_reply default_reply(struct player *player, enum smtp_step question)
{
    if (question == SMTP_STEP_AUTHENTICATE)
        return default_login_reply(player);
    if (question == SMTP_STEP_SENDER)
        return SMTP_REPLY(250, 2, 1, 0, "Ok");
    if (question == SMTP_STEP_RECIPIENT)
        return SMTP_REPLY(250, 2, 1, 5, "Ok");
    if (question == SMTP_STEP_BODY_BEGINS)
        return SMTP_REPLY(354, 0, 0, 0, "");
    return SMTP_REPLY(250, 2, 0, 0, "Ok: queued as 7Q2F");
}

static void decide(struct player *player, enum smtp_step question)
{
    struct smtp_reply reply = player->decisions[question];

    if (reply.code == 0)
        reply = default_reply(player, question);
    player->decisions[question].code = 0;
    smtp_server_decide(&player->server, reply);
}

static void collect_body(struct player *player)
{
    buffer_append(&player->body, player->server.chunk);
}

/* Does what a step asks for; false: more input is needed, or none is taken any more. */
static bool on_step(struct player *player, enum smtp_step step)
{
    switch (step) {
    case SMTP_STEP_MORE:
    case SMTP_STEP_START_TLS:
        return false;
    case SMTP_STEP_FLUSH:
        return true;
    case SMTP_STEP_AUTHENTICATE:
        note_login(player);
        break;
    case SMTP_STEP_SENDER:
        note_mail(player);
        break;
    case SMTP_STEP_RECIPIENT:
        note_recipient(player);
        break;
    case SMTP_STEP_BODY_BEGINS:
        buffer_append_text(&player->events, "BODY\n");
        buffer_clear(&player->body);
        break;
    case SMTP_STEP_BODY:
        collect_body(player);
        return true;
    case SMTP_STEP_MESSAGE_ENDS:
        note_message(player);
        break;
    case SMTP_STEP_TRANSACTION_ENDS:
        buffer_append_text(&player->events, "DROPPED\n");
        return true;
    case SMTP_STEP_CLOSE:
        if (!player->is_closed)
            buffer_append_text(&player->events, "CLOSE\n");
        player->is_closed = true;
        return false;
    }
    decide(player, step);
    return true;
}

void player_take_output(struct player *player)
{
    struct buffer *output = smtp_server_output(&player->server);

    buffer_append(&player->replies, buffer_slice(output));
    buffer_clear(output);
}

void player_feed_piece(struct player *player, struct slice piece)
{
    char *copy = slice_to_string(piece);
    struct slice input = {copy, piece.len};
    enum smtp_step step;

    do {
        step = smtp_server_feed(&player->server, &input);
        player_take_output(player);
    } while (on_step(player, step));
    if (input.len && step == SMTP_STEP_MORE)
        player_complain(player, "MORE must take all input", (struct slice){0}, input);
    free(copy);
}

void player_feed_pending(struct player *player)
{
    struct slice rest = buffer_slice(&player->to_send);

    while (rest.len) {
        struct slice piece = slice_head(rest, player->piece ? player->piece : rest.len);

        player_feed_piece(player, piece);
        rest = slice_skip(rest, piece.len);
    }
    buffer_clear(&player->to_send);
    player_take_output(player);
}
