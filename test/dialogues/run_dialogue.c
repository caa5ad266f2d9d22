/* Plays dialogues (*.smtp, see README.md) against the pure server session, each whole and in
 * pieces down to one octet.  Every piece lies in memory of its own, so that a sanitizer sees a
 * session that looks beyond it or keeps a look at it. */
#include <stdio.h>

#include "test/dialogues/dialogue_player.h"
#include "test/dialogues/dialogue_text.h"

static void set_listener(struct smtp_server_settings *settings, struct slice words)
{
    struct {
        const char *name;
        bool *flag, value;
    } flags[] = {
        {"starttls",   &settings->offers_starttls, true },
        {"tls",        &settings->is_tls,          true },
        {"network",    &settings->needs_auth,      false},
        {"plain_auth", &settings->plain_auth,      true },
        {"bounces",    &settings->bounces_only,    true },
        {"repair",     &settings->repair_newlines, true },
    };
    uint64_t number;

    while (words.len) {
        struct slice value = dialogue_take_part(&words, SLICE_LITERAL(" "));
        struct slice name = dialogue_take_part(&value, SLICE_LITERAL("="));

        for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
            if (slice_equal(name, slice_of(flags[i].name)))
                *flags[i].flag = flags[i].value;
        if (!slice_to_number(value, UINT32_MAX, &number))
            continue;
        if (slice_equal(name, SLICE_LITERAL("size")))
            settings->size_limit = number;
        else if (slice_equal(name, SLICE_LITERAL("recipients")))
            settings->max_recipients = (uint32_t)number;
        else
            settings->max_errors = (uint32_t)number;
    }
}

static void start(struct player *player, struct slice words)
{
    struct smtp_server_settings settings = {
        .hostname = SLICE_LITERAL("relay.example"),
        .size_limit = 50000000,
        .max_recipients = 1000,
        .needs_auth = true,
    };

    set_listener(&settings, words);
    smtp_server_init(&player->server, &settings);
    player->is_started = true;
}

/* The greeting is there to be read, unless the dialogue begins behind it. */
static void greet(struct player *player, bool is_read)
{
    if (player->server.output.len || player->replies.len || player->server.helo[0])
        return;
    smtp_server_greet(&player->server);
    if (!is_read)
        buffer_clear(smtp_server_output(&player->server));
}

static void expect_reply(struct player *player, struct slice pattern)
{
    struct slice output = buffer_slice(&player->replies);
    size_t before = output.len;
    bool is_malformed = false;

    if (slice_equal(pattern, SLICE_LITERAL("<closed>"))) {
        if (!player->is_closed)
            player_feed_piece(player, (struct slice){"", 0});
        if (!player->is_closed || output.len)
            player_complain(player, "the server should have closed", pattern, output);
        return;
    }
    if (!dialogue_take_reply(&output, &player->reply, &is_malformed)) {
        player_complain(player, is_malformed ? "malformed reply" : "no reply", pattern, output);
        return;
    }
    buffer_consume(&player->replies, before - output.len);
    if (!dialogue_matches(pattern, buffer_slice(&player->reply)))
        player_complain(player, "another reply", pattern, buffer_slice(&player->reply));
}

static void on_expect(struct player *player, struct slice patterns)
{
    player_feed_pending(player);
    while (patterns.len)
        expect_reply(player, dialogue_take_part(&patterns, SLICE_LITERAL(" | ")));
}

static void on_raw(struct player *player, struct slice raw)
{
    if (!dialogue_unescape(&player->to_send, raw))
        player_complain(player, "bad escape", raw, (struct slice){0});
}

static void on_repeat(struct player *player, struct slice text)
{
    struct slice digits = slice_head(text, (size_t)slice_find(text, ' '));
    uint64_t n = 0;

    if (!slice_to_number(digits, UINT32_MAX, &n))
        player_complain(player, "bad count", digits, (struct slice){0});
    for (uint64_t i = 0; i < n; i++)
        on_raw(player, slice_skip(text, digits.len + 1));
}

static void on_client_line(struct player *player, struct slice text)
{
    buffer_append(&player->to_send, text);
    buffer_append_text(&player->to_send, "\r\n");
}

static void on_tls(struct player *player, struct slice text)
{
    (void)text;
    player_feed_pending(player);
    smtp_server_tls_started(&player->server);
}

static void on_decision(struct player *player, struct slice text)
{
    static const struct {
        const char *name;
        enum smtp_step question;
    } questions[] = {
        {"AUTH", SMTP_STEP_AUTHENTICATE},
        {"MAIL", SMTP_STEP_SENDER      },
        {"RCPT", SMTP_STEP_RECIPIENT   },
        {"DATA", SMTP_STEP_BODY_BEGINS },
        {"END",  SMTP_STEP_MESSAGE_ENDS},
    };
    struct slice what, code;
    uint64_t number = 0;

    player_feed_pending(player);
    what = dialogue_take_part(&text, SLICE_LITERAL(" "));
    if (slice_equal(what, SLICE_LITERAL("TIMEOUT")))
        smtp_server_timeout(&player->server);
    if (slice_equal(what, SLICE_LITERAL("SHUTDOWN")))
        smtp_server_shutdown(&player->server);
    player_take_output(player);
    code = dialogue_take_part(&text, SLICE_LITERAL(" "));
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        struct smtp_reply *reply = &player->decisions[questions[i].question];
        struct buffer *kept = &player->decision_texts[questions[i].question];

        if (!slice_equal(what, slice_of(questions[i].name)))
            continue;
        if (!slice_to_number(code, 599, &number))
            player_complain(player, "bad decision", code, text);
        *reply = (struct smtp_reply){.code = (uint16_t)number};
        (void)enhanced_status_read(&text, &reply->status);
        buffer_clear(kept);
        buffer_append(kept, text);
        reply->text = buffer_slice(kept);
    }
}

static void on_event(struct player *player, struct slice pattern)
{
    struct slice all, rest;

    player_feed_pending(player);
    all = buffer_slice(&player->events);
    rest = slice_skip(all, player->n_events_read);
    while (rest.len) {
        struct slice event = dialogue_take_part(&rest, SLICE_LITERAL("\n"));

        if (!dialogue_matches(pattern, event))
            continue;
        player->n_events_read = all.len - rest.len;
        return;
    }
    player_complain(player, "no such event", pattern, slice_skip(all, player->n_events_read));
}

static void on_body(struct player *player, struct slice raw)
{
    CLEANUP(buffer) struct buffer wanted = BUFFER_INIT;

    player_feed_pending(player);
    if (!dialogue_unescape(&wanted, raw) ||
        !slice_equal(buffer_slice(&wanted), buffer_slice(&player->body)))
        player_complain(player, "another body", buffer_slice(&wanted), buffer_slice(&player->body));
}

static void play_line(struct player *player, struct slice line)
{
    static const struct {
        struct slice start;
        void (*run)(struct player *player, struct slice text);
    } kinds[] = {
        {SLICE_LITERAL("C:"), on_client_line},
        {SLICE_LITERAL("C!"), on_raw        },
        {SLICE_LITERAL("C*"), on_repeat     },
        {SLICE_LITERAL("S:"), on_expect     },
        {SLICE_LITERAL("T:"), on_tls        },
        {SLICE_LITERAL("D:"), on_decision   },
        {SLICE_LITERAL("O:"), on_event      },
        {SLICE_LITERAL("B:"), on_body       },
    };
    struct slice text = slice_skip(line, 2);

    if (slice_starts_with(text, SLICE_LITERAL(" ")))
        text = slice_skip(text, 1);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!slice_starts_with(line, kinds[i].start))
            continue;
        kinds[i].run(player, text);
        return;
    }
    player_complain(player, "unknown kind of line", line, (struct slice){0});
}

static void play_text(struct player *player, struct slice text)
{
    bool is_greeted = false;

    while (text.len) {
        ptrdiff_t end = slice_find(text, '\n');
        struct slice line = end < 0 ? text : slice_head(text, (size_t)end);

        text = slice_skip(text, line.len + 1);
        player->line_number++;
        if (line.len == 0 || line.data[0] == '#')
            continue;
        if (line.data[0] == '@') {
            start(player, slice_skip(line, 2));
            continue;
        }
        if (!player->is_started)
            start(player, (struct slice){"", 0});
        if (!is_greeted)
            greet(player, slice_starts_with(line, SLICE_LITERAL("S: 220")));
        is_greeted = true;
        play_line(player, line);
    }
    player_feed_pending(player);
    if (player->replies.len)
        player_complain(player, "replies are left", (struct slice){0},
                        buffer_slice(&player->replies));
}

static bool play(const char *file, struct slice text, size_t piece)
{
    struct player player = {.file = file, .piece = piece};

    play_text(&player, text);
    if (player.is_started)
        smtp_server_fini(&player.server);
    buffer_fini(&player.to_send);
    buffer_fini(&player.replies);
    buffer_fini(&player.reply);
    buffer_fini(&player.events);
    buffer_fini(&player.body);
    for (size_t i = 0; i < N_QUESTIONS; i++)
        buffer_fini(&player.decision_texts[i]);
    return player.is_started && !player.has_failed;
}

static bool read_file(const char *name, struct buffer *text)
{
    char part[4096];
    FILE *file = fopen(name, "rbe");
    size_t n;

    if (!file)
        return false;
    while ((n = fread(part, 1, sizeof(part), file)) > 0)
        buffer_append(text, slice_from(part, n));
    (void)fclose(file);
    return buffer_error(text) == 0;
}

int main(int argc, char **argv)
{
    static const size_t pieces[] = {0, 1, 2, 3, 7, 64};
    bool is_good = argc > 1;

    for (int i = 1; i < argc; i++) {
        CLEANUP(buffer) struct buffer text = BUFFER_INIT;

        if (!read_file(argv[i], &text)) {
            printf("%s: cannot be read\n", argv[i]);
            return 1;
        }
        for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++)
            is_good = play(argv[i], buffer_slice(&text), pieces[k]) && is_good;
    }
    return is_good ? 0 : 1;
}
