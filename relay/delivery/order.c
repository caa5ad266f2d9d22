#include "relay/delivery/order.h"

void order_note(struct entry *entry, enum delivery_verb verb)
{
    if (verb == DELIVERY_HOLD)
        entry->flags |= ENTRY_HOLD_LATER;
    if (verb == DELIVERY_RELEASE)
        entry->flags &= (uint8_t)~ENTRY_HOLD_LATER;
    if (verb == DELIVERY_BOUNCE)
        entry->flags |= ENTRY_CANCELLED | ENTRY_BOUNCE;
    if (verb == DELIVERY_DELETE)
        entry->flags |= ENTRY_CANCELLED;
}

bool order_is_noted(const struct entry *entry)
{
    return (entry->flags & (ENTRY_CANCELLED | ENTRY_HOLD_LATER)) != 0;
}

struct judgement order_judgement(const struct entry *entry)
{
    static const struct judgement held = {.verdict = VERDICT_HELD,
                                          .text = SLICE_LITERAL("held by an operator")};
    static const struct judgement deleted = {.verdict = VERDICT_DELETED,
                                             .text = SLICE_LITERAL("deleted by an operator")};
    static const struct judgement returned = {
        .verdict = VERDICT_FAILED,
        .status = {5, 7, 0},
        .text = SLICE_LITERAL("returned by an operator")
    };

    if (!(entry->flags & ENTRY_CANCELLED))
        return held;
    return entry->flags & ENTRY_BOUNCE ? returned : deleted;
}

enum verdict order_instead_of_later(const struct schedule *schedule, const struct entry *entry,
                                    int64_t now_ms)
{
    if (entry->flags & ENTRY_CANCELLED)
        return entry->flags & ENTRY_BOUNCE ? VERDICT_FAILED : VERDICT_DELETED;
    if (entry_is_expired(schedule, entry, now_ms))
        return VERDICT_EXPIRED;
    return entry->flags & ENTRY_HOLD_LATER ? VERDICT_HELD : VERDICT_LATER;
}
