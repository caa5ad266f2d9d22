#include "webui/history_json.h"

#include "relay/base/clock.h"

static json_t *text_or_null(struct slice text)
{
    return text.len ? json_slice(text) : json_null();
}

static json_t *number_or_null(int64_t number)
{
    return number ? json_integer((json_int_t)number) : json_null();
}

json_t *history_row_json(const struct history_row *row)
{
    json_t *item = json_pack("{s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "at",
                             json_time(row->at_utc_ms), "id", json_slice(row->message), "n",
                             (json_int_t)row->n, "user", json_slice(row->user), "sender",
                             json_slice(row->sender), "recipient", json_slice(row->recipient),
                             "site", json_slice(row->site), "mx", text_or_null(row->mx), "egress",
                             text_or_null(row->egress), "state", history_kind_name(row->kind));
    json_t *rest = json_pack(
        "{s:o, s:o, s:o, s:o, s:f, s:I, s:o, s:o, s:o, s:I}", "code", number_or_null(row->code),
        "enhanced", text_or_null(row->enhanced), "reply", json_slice(row->reply), "class",
        json_slice(row->class), "seconds", (double)row->spent_ms / 1000, "attempts",
        (json_int_t)row->attempts, "campaign", json_slice(row->campaign), "provider",
        text_or_null(row->provider), "tls", text_or_null(row->tls), "size", (json_int_t)row->size);

    if (row->kind == HISTORY_QUEUED) {
        json_object_set_new(rest, "seconds", json_null());
        json_object_set_new(rest, "n_recipients", json_integer((json_int_t)row->n_recipients));
    }
    json_object_update(item, rest);
    json_decref(rest);
    return item;
}

/* ---- CSV ---- */

/* RFC 4180; a spreadsheet runs what begins like a formula, blanks in front of it or not. */
void csv_cell(struct buffer *out, struct slice text, char behind)
{
    static const char starts[] = "=+-@\t\r\n|%";
    struct slice bare = slice_trim(text);

    buffer_append_byte(out, '"');
    if ((text.len && strchr(starts, text.data[0])) || (bare.len && strchr(starts, bare.data[0])))
        buffer_append_byte(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == '"')
            buffer_append_byte(out, '"');
        if (c < ' ' || c == 0x7f)
            buffer_append_byte(out, ' ');
        else
            buffer_append_byte(out, text.data[i]);
    }
    buffer_append_text(out, behind == '\n' ? "\"\r\n" : "\",");
}

void history_csv_head(struct buffer *out)
{
    buffer_append_text(out, "at,id,n,state,user,sender,recipient,site,provider,mx,egress,tls,code,"
                            "enhanced,class,reply,seconds,attempts,size,campaign\r\n");
}

void history_csv_row(const struct history_row *row, struct buffer *out)
{
    const struct slice names[] = {row->user,     row->sender, row->recipient, row->site,
                                  row->provider, row->mx,     row->egress,    row->tls};
    char at[CLOCK_DATE_SIZE];

    clock_format_timestamp(row->at_utc_ms, at);
    csv_cell(out, slice_of(at), ',');
    csv_cell(out, row->message, ',');
    buffer_printf(out, "%lld,%s,", (long long)row->n, history_kind_name(row->kind));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        csv_cell(out, names[i], ',');
    buffer_printf(out, "%lld,", (long long)row->code);
    csv_cell(out, row->enhanced, ',');
    csv_cell(out, row->class, ',');
    csv_cell(out, row->reply, ',');
    buffer_printf(out, "%.3f,%lld,%lld,", (double)row->spent_ms / 1000, (long long)row->attempts,
                  (long long)row->size);
    csv_cell(out, row->campaign, '\n');
}

/* ---- the filter ---- */

static const struct {
    enum filter_state state;
    enum history_kind kind;
} states[] = {
    {FILTER_QUEUED,    HISTORY_QUEUED   },
    {FILTER_DEFERRED,  HISTORY_DEFERRED },
    {FILTER_HELD,      HISTORY_HELD     },
    {FILTER_DELIVERED, HISTORY_DELIVERED},
    {FILTER_BOUNCED,   HISTORY_BOUNCED  },
    {FILTER_EXPIRED,   HISTORY_EXPIRED  },
    {FILTER_DELETED,   HISTORY_DELETED  },
};

bool history_filter_of(const struct filter_words *words, int64_t now_utc_ms,
                       struct history_filter *out)
{
    *out = (struct history_filter){
        .user = words->user,
        .sender = words->from,
        .recipient = words->to,
        .destination = words->dest,
        .message = words->msgid,
        .campaign = words->campaign,
        .reply = words->reply,
        .text = words->text,
        .larger_than = words->larger_than,
        .until_utc_ms = words->older_ms ? now_utc_ms - words->older_ms : 0,
    };
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (words->states & 1U << states[i].state)
            out->kinds |= 1U << states[i].kind;
    return !words->states || out->kinds;
}
