/* What was made of a recipient: as a line of text, and as a class. */
#include "policy/receiver_book.h"
#include "relay/delivery/outcome.h"

void judgement_print(const struct judgement *judgement, struct buffer *out)
{
    struct smtp_reply reply = smtp_reply_with(judgement->code, judgement->status, judgement->text);

    if (judgement->code) {
        smtp_reply_print_line(out, reply);
        return;
    }
    enhanced_status_print(out, judgement->status);
    if (judgement->status.class)
        buffer_append_byte(out, ' ');
    buffer_append(out, judgement->text);
}

bool judgement_has_class(const struct judgement *judgement)
{
    return judgement->verdict == VERDICT_LATER || judgement->verdict == VERDICT_FAILED ||
           judgement->verdict == VERDICT_EXPIRED;
}

void judgement_classify(struct judgement *judgement, const struct receiver_book *book)
{
    struct smtp_reply reply = smtp_reply_with(judgement->code, judgement->status, judgement->text);

    if (!judgement_has_class(judgement))
        return;
    if (book)
        judgement->bounce_class = receiver_book_class(book, judgement->phase, &reply);
    if (judgement->verdict == VERDICT_EXPIRED && judgement->bounce_class == BOUNCE_OTHER)
        judgement->bounce_class = BOUNCE_EXPIRED; /* no last reply says more */
}
