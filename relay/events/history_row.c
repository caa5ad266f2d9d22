#include "relay/events/history_row.h"

const enum event_kind history_events[N_HISTORY_KINDS] = {
    [HISTORY_QUEUED] = EVENT_QUEUED,     [HISTORY_DELIVERED] = EVENT_DELIVERED,
    [HISTORY_DEFERRED] = EVENT_DEFERRED, [HISTORY_BOUNCED] = EVENT_BOUNCED,
    [HISTORY_EXPIRED] = EVENT_EXPIRED,   [HISTORY_DELETED] = EVENT_DELETED,
    [HISTORY_HELD] = EVENT_HELD,
};

static const struct {
    const char *name;
    size_t offset; /* of the slice or the number in struct history_row */
} members[] = {
    {"msg",      offsetof(struct history_row, message)     },
    {"rcpt",     offsetof(struct history_row, n)           },
    {"to",       offsetof(struct history_row, recipient)   },
    {"site",     offsetof(struct history_row, site)        },
    {"mx",       offsetof(struct history_row, mx)          },
    {"egress",   offsetof(struct history_row, egress)      },
    {"tls",      offsetof(struct history_row, tls)         },
    {"code",     offsetof(struct history_row, code)        },
    {"enhanced", offsetof(struct history_row, enhanced)    },
    {"class",    offsetof(struct history_row, class)       },
    {"reply",    offsetof(struct history_row, reply)       },
    {"secs",     offsetof(struct history_row, spent_ms)    },
    {"user",     offsetof(struct history_row, user)        },
    {"from",     offsetof(struct history_row, sender)      },
    {"provider", offsetof(struct history_row, provider)    },
    {"attempts", offsetof(struct history_row, attempts)    },
    {"campaign", offsetof(struct history_row, campaign)    },
    {"size",     offsetof(struct history_row, size)        },
    {"nrcpt",    offsetof(struct history_row, n_recipients)},
};

enum { N_MEMBERS = sizeof(members) / sizeof(members[0]) };

const char *history_kind_name(enum history_kind kind)
{
    return event_name(history_events[kind]);
}

bool history_kind_of(enum event_kind kind, enum history_kind *out)
{
    for (unsigned i = 0; i < N_HISTORY_KINDS; i++) {
        if (history_events[i] == kind) {
            *out = (enum history_kind)i;
            return true;
        }
    }
    return false;
}

/* Events of one kind have their fields in one order: where each name led the last time is tried
 * first.  The event thread's alone. */
static unsigned find_member(const char *name, uint8_t *guess)
{
    if (*guess < N_MEMBERS && strcmp(members[*guess].name, name) == 0)
        return *guess;
    for (unsigned i = 0; i < N_MEMBERS; i++) {
        if (strcmp(members[i].name, name) == 0) {
            *guess = (uint8_t)i;
            return i;
        }
    }
    return N_MEMBERS;
}

bool history_row_of(const struct event *event, struct history_row *out)
{
    static _Thread_local uint8_t guesses[N_HISTORY_KINDS][EVENT_MAX_FIELDS];

    *out = (struct history_row){.at_utc_ms = event->utc_ms};
    if (!history_kind_of(event->kind, &out->kind))
        return false;
    for (unsigned i = 0; i < event->n_fields; i++) {
        const struct event_field *field = &event->fields[i];
        unsigned member = find_member(field->name, &guesses[out->kind][i]);
        char *place = (char *)out + (member < N_MEMBERS ? members[member].offset : 0);

        if (member == N_MEMBERS)
            continue;
        if (field->type == FIELD_TYPE_TEXT)
            memcpy(place, &field->text, sizeof(field->text));
        else
            memcpy(place, &field->number, sizeof(field->number));
    }
    return out->message.data != NULL;
}
