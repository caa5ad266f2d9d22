#include "relay/delivery/path_words.h"

#include <stdlib.h>
#include <string.h>

#include "relay/base/slice.h"

/* clang-format off */
static const struct word {
    const char *step; /* NULL: any */
    const char *code;
    enum path_verdict verdict;
    const char *params[PATH_MOST_PARAMS];
    const char *sentence;
} words[N_PATH_WORDS] = {
    [PATH_ROUTE_FIXED] = {"route", "fixed", PATH_OK, {"via"},
        "Its mail goes to {via}: a route or an order says so, and DNS is not asked."},
    [PATH_ROUTE_SUSPENDED] = {"route", "suspended", PATH_WARN, {"reason"},
        "An operator suspended this destination, so its mail waits: {reason}"},
    [PATH_ROUTE_MALFORMED] = {"route", "malformed", PATH_FAIL, {"domain"},
        "{domain} is no domain."},
    [PATH_ROUTE_NO_HOP] = {"route", "no_next_hop", PATH_FAIL, {"via"},
        "The order for this destination leads to {via}, which is no next hop."},
    [PATH_ROUTE_NO_EGRESS] = {"route", "no_such_egress", PATH_FAIL, {"egress"},
        "None of our addresses is {egress}."},
    [PATH_MX_FOUND] = {"mx", "found", PATH_OK, {"hosts", "dnssec"},
        "DNS names these mail hosts: {hosts}."},
    [PATH_MX_IMPLICIT] = {"mx", "implicit", PATH_WARN, {"host"},
        "There is no MX record, so {host} itself is tried."},
    [PATH_MX_LITERAL] = {"mx", "literal", PATH_OK, {"host"},
        "The address names its mail host: {host}."},
    [PATH_MX_NULL] = {"mx", "null_mx", PATH_FAIL, {"domain"},
        "{domain} says that it takes no mail (null MX)."},
    [PATH_MX_NO_DOMAIN] = {"mx", "no_domain", PATH_FAIL, {"domain"},
        "{domain} does not exist in DNS."},
    [PATH_MX_UNUSABLE] = {"mx", "unusable", PATH_FAIL, {"domain"},
        "No MX record of {domain} names a usable host."},
    [PATH_MX_NO_ANSWER] = {"mx", "no_answer", PATH_FAIL, {"reason"},
        "DNS gave no answer: {reason}"},
    [PATH_ADDRESS_FOUND] = {"address", "found", PATH_OK, {"host", "addresses"},
        "{host} has these addresses: {addresses}."},
    [PATH_ADDRESS_NONE] = {"address", "none", PATH_FAIL, {"host", "reason"},
        "{host} has no address that could be used: {reason}"},
    [PATH_ADDRESS_NOT_PUBLIC] = {"address", "not_public", PATH_FAIL, {"host", "address"},
        "{host} has the address {address}, which is not on the public Internet: not tried."},
    [PATH_ADDRESS_HOP_NOT_PUBLIC] = {"address", "hop_not_public", PATH_FAIL, {"host", "address"},
        "An order leads to {host} [{address}], which is not on the public Internet and no route "
        "of the settings: delivery tries it, this test does not."},
    [PATH_ADDRESS_OURS] = {"address", "ours", PATH_FAIL, {"host", "address"},
        "{host} has the address {address}, which is ours: the mail would loop."},
    [PATH_ADDRESS_OTHER_FAMILY] = {"address", "other_family", PATH_WARN, {"host", "address"},
        "{address} of {host} is of a family that this address of ours does not have."},
    [PATH_NAME_GOOD] = {"name", "confirmed", PATH_OK, {"address", "name"},
        "{address} is called {name}, the name we greet with, and the name leads back to it."},
    [PATH_NAME_OTHER] = {"name", "other_name", PATH_WARN, {"address", "name", "ehlo"},
        "{address} is called {name} in DNS, but we greet as {ehlo}: some receivers mind."},
    [PATH_NAME_MISSING] = {"name", "missing", PATH_FAIL, {"address", "ehlo"},
        "{address} has no name in DNS (PTR): many receivers refuse that. It should be {ehlo}."},
    [PATH_NAME_UNCONFIRMED] = {"name", "unconfirmed", PATH_FAIL, {"address", "name", "ehlo"},
        "{address} is called {name} in DNS, which does not lead back to it."},
    [PATH_NAME_NO_ANSWER] = {"name", "no_answer", PATH_WARN, {"address"},
        "DNS did not tell the name of {address} now."},
    [PATH_NAME_PRIVATE] = {"name", "private", PATH_WARN, {"address"},
        "{address} is not on the public Internet: receivers see another address than this."},
    [PATH_PACE_FREE] = {"pace", "free", PATH_OK, {NULL},
        "Limits and paces let one more connection begin; it is counted like any other."},
    [PATH_PACE_SUSPENDED] = {"pace", "stopped", PATH_WARN, {"why", "reason"},
        "Its mail waits now: {why} {reason}"},
    [PATH_PACE_NOT_NOW] = {"pace", "not_now", PATH_FAIL, {"why", "reason"},
        "Limits let no connection begin within half a minute: {why} {reason}"},
    [PATH_CONNECTED] = {"connect", "connected", PATH_OK, {"host", "address", "local"},
        "Connected to {host} [{address}] from {local}."},
    [PATH_CONNECT_FAILED] = {"connect", "failed", PATH_FAIL, {"host", "address", "reason"},
        "No connection to {host} [{address}]: {reason}"},
    [PATH_BANNER_GOOD] = {"banner", "greeted", PATH_OK, {"reply"}, "It greets us: {reply}"},
    [PATH_BANNER_REFUSED] = {"banner", "refused", PATH_FAIL, {"reply"},
        "It does not let us in: {reply}"},
    [PATH_TLS_VERIFIED] = {"starttls", "verified", PATH_OK, {"tls"},
        "Encrypted with {tls}; its certificate is good and names the host."},
    [PATH_TLS_UNVERIFIED] = {"starttls", "unverified", PATH_WARN, {"tls", "reason"},
        "Encrypted with {tls}; its certificate would not pass a check: {reason}."},
    [PATH_TLS_UNVERIFIED_WANTED] = {"starttls", "refused_by_us", PATH_FAIL, {"tls", "reason"},
        "Its certificate does not pass the check that the settings want: {reason}."},
    [PATH_TLS_NOT_OFFERED] = {"starttls", "not_offered", PATH_WARN, {NULL},
        "It offers no TLS: mail would go in clear."},
    [PATH_TLS_NOT_OFFERED_WANTED] = {"starttls", "wanted", PATH_FAIL, {NULL},
        "It offers no TLS, and the settings want it: mail would wait."},
    [PATH_TLS_REFUSED] = {"starttls", "refused", PATH_WARN, {"reply"},
        "It offers TLS and refuses it: {reply}"},
    [PATH_TLS_FAILED] = {"starttls", "failed", PATH_WARN, {"reason"},
        "TLS failed, and mail would go in clear over another connection: {reason}"},
    [PATH_TLS_FAILED_WANTED] = {"starttls", "failed_wanted", PATH_FAIL, {"reason"},
        "TLS failed, and the settings want it: {reason}"},
    [PATH_TLS_NEVER] = {"starttls", "not_wanted", PATH_OK, {NULL},
        "The settings want no TLS there."},
    [PATH_EHLO_GOOD] = {"ehlo", "accepted", PATH_OK, {"name", "reply"},
        "It knows us as {name} and offers: {reply}"},
    [PATH_EHLO_REFUSED] = {"ehlo", "refused", PATH_FAIL, {"name", "reply"},
        "It does not take our greeting as {name}: {reply}"},
    [PATH_AUTH_GOOD] = {"auth", "accepted", PATH_OK, {"reply"}, "It took our login: {reply}"},
    [PATH_AUTH_REFUSED] = {"auth", "refused", PATH_FAIL, {"reply"},
        "It did not take our login: {reply}"},
    [PATH_MAIL_GOOD] = {"mail", "accepted", PATH_OK, {"sender", "reply"},
        "It takes mail from {sender}: {reply}"},
    [PATH_MAIL_LATER] = {"mail", "later", PATH_WARN, {"sender", "reply"},
        "It takes no mail from {sender} now: {reply}"},
    [PATH_MAIL_REFUSED] = {"mail", "refused", PATH_FAIL, {"sender", "reply"},
        "It refuses mail from {sender}: {reply}"},
    [PATH_RCPT_GOOD] = {"rcpt", "accepted", PATH_OK, {"recipient", "reply"},
        "It takes mail for {recipient}: {reply}"},
    [PATH_RCPT_LATER] = {"rcpt", "later", PATH_WARN, {"recipient", "reply"},
        "It takes no mail for {recipient} now: {reply}"},
    [PATH_RCPT_REFUSED] = {"rcpt", "refused", PATH_FAIL, {"recipient", "reply"},
        "It refuses mail for {recipient}: {reply}"},
    [PATH_QUIT_GOOD] = {"quit", "ended", PATH_OK, {NULL}, "Ended before any message was sent."},
    [PATH_LOST] = {NULL, "lost", PATH_FAIL, {"reason"}, "The conversation broke off: {reason}"},
    [PATH_UNREACHED] = {"end", "unreached", PATH_FAIL, {NULL}, "No mail host let us in."},
    [PATH_CANCELLED] = {"end", "cancelled", PATH_WARN, {NULL}, "Ended before its end."},
    [PATH_CHANGED] = {"end", "settings_changed", PATH_WARN, {NULL},
        "The settings changed meanwhile: test again."},
    [PATH_OUT_OF_TIME] = {"end", "out_of_time", PATH_WARN, {NULL}, "It took too long."},
    [PATH_NO_MEMORY] = {"end", "no_memory", PATH_FAIL, {NULL}, "The service is out of memory."},
};
/* clang-format on */

static const char *value_of(const struct path_step *step, struct slice name)
{
    for (unsigned i = 0; i < step->n_params; i++)
        if (slice_equal(slice_of(step->params[i].name), name))
            return step->params[i].value;
    return "";
}

static void append(struct path_step *step, size_t *len, struct slice text)
{
    size_t room = sizeof(step->sentence) - 1 - *len;
    size_t n = text.len < room ? text.len : room;

    memcpy(step->sentence + *len, text.data, n);
    *len += n;
}

static void write_sentence(struct path_step *step, struct slice rest)
{
    size_t len = 0;

    while (rest.len) {
        ptrdiff_t open = slice_find(rest, '{'), close = slice_find(rest, '}');

        if (open < 0 || close < open) {
            append(step, &len, rest);
            break;
        }
        append(step, &len, slice_head(rest, (size_t)open));
        append(
            step, &len,
            slice_of(value_of(step, slice_from(rest.data + open + 1, (size_t)(close - open - 1)))));
        rest = slice_skip(rest, (size_t)close + 1);
    }
    while (len && step->sentence[len - 1] == ' ')
        len--;
    step->sentence[len] = '\0';
}

struct path_step *path_step_new(enum path_word word, const char *phase, const char *const *values)
{
    const struct word *row = &words[word];
    struct path_step *step = calloc(1, sizeof(*step));

    if (!step)
        return NULL;
    step->name = row->step ? row->step : phase;
    step->code = row->code;
    step->verdict = row->verdict;
    for (unsigned i = 0; i < PATH_MOST_PARAMS && row->params[i]; i++) {
        step->params[i].name = row->params[i];
        slice_copy_to(slice_of(values[i] ? values[i] : ""), step->params[i].value, PATH_TEXT);
        step->n_params++;
    }
    write_sentence(step, slice_of(row->sentence));
    return step;
}
