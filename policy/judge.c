/* One of the two files that include libopendkim (the other: signer/opendkim_engine.c). */
#include "policy/judge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include <opendkim/dkim.h>

struct judge {
    DKIM_LIB *library;
};

/* What the library's key lookup needs: ours instead of DNS. */
struct lookup {
    const struct judge_record *records;
    size_t n_records;
};

static bool is_named(const struct judge_record *record, const DKIM_SIGINFO *signature)
{
    DKIM_SIGINFO *sig = (DKIM_SIGINFO *)signature;
    const char *domain = (const char *)dkim_sig_getdomain(sig);
    const char *selector = (const char *)dkim_sig_getselector(sig);

    return slice_equal_ignoring_case(record->domain, slice_of(domain)) &&
           slice_equal_ignoring_case(record->selector, slice_of(selector));
}

static DKIM_CBSTAT find_record(DKIM *handle, DKIM_SIGINFO *signature, u_char *out, size_t size)
{
    const struct lookup *lookup = dkim_get_user_context(handle);

    for (size_t i = 0; i < lookup->n_records; i++)
        if (is_named(&lookup->records[i], signature))
            return slice_copy_to(lookup->records[i].text, (char *)out, size) ? DKIM_CBSTAT_CONTINUE
                                                                             : DKIM_CBSTAT_ERROR;
    return DKIM_CBSTAT_NOTFOUND;
}

int judge_new(struct judge **out)
{
    struct judge *judge = calloc(1, sizeof(*judge));

    if (!judge)
        return FAULT(-ENOMEM);
    judge->library = dkim_init(NULL, NULL);
    if (!judge->library || dkim_set_key_lookup(judge->library, find_record) != DKIM_STAT_OK) {
        judge_free(judge);
        return FAULT(-ENOMEM);
    }
    *out = judge;
    return 0;
}

struct judge *judge_free(struct judge *judge)
{
    if (judge && judge->library)
        dkim_close(judge->library);
    free(judge);
    return NULL;
}

static void free_handle_cleanup(DKIM **handle)
{
    if (*handle)
        dkim_free(*handle);
}

static DKIM_STAT feed(DKIM *handle, const struct slice *parts, size_t n_parts)
{
    DKIM_STAT status = DKIM_STAT_OK;

    for (size_t i = 0; status == DKIM_STAT_OK && i < n_parts; i++)
        if (parts[i].len)
            status = dkim_chunk(handle, (u_char *)parts[i].data, parts[i].len);
    if (status == DKIM_STAT_OK)
        status = dkim_chunk(handle, NULL, 0);
    return status == DKIM_STAT_OK ? dkim_eom(handle, NULL) : status;
}

static const char *find_fault(DKIM *handle, DKIM_SIGINFO *signature)
{
    DKIM_SIGERROR error;

    if (dkim_sig_process(handle, signature) != DKIM_STAT_OK &&
        dkim_sig_geterror(signature) == DKIM_SIGERROR_OK)
        return "the signature cannot be processed";
    if (dkim_sig_getbh(signature) == DKIM_SIGBH_MISMATCH)
        return "the body hash does not match";
    if (dkim_sig_getflags(signature) & DKIM_SIGFLAG_PASSED)
        return NULL;
    error = dkim_sig_geterror(signature);
    return error == DKIM_SIGERROR_OK ? "the signature does not match" : dkim_sig_geterrorstr(error);
}

static void judge_signature(DKIM *handle, DKIM_SIGINFO *signature, struct judge_verdict *out)
{
    const char *fault = find_fault(handle, signature);

    out->n_signatures++;
    if (!fault)
        out->n_good++;
    else if (out->reason[0] == '\0')
        snprintf(out->reason, sizeof(out->reason), "d=%s s=%s a=%s: %s",
                 dkim_sig_getdomain(signature), dkim_sig_getselector(signature),
                 dkim_sig_getalgorithm(signature), fault);
}

static void judge_signatures(DKIM *handle, DKIM_STAT status, struct judge_verdict *out)
{
    DKIM_SIGINFO **signatures = NULL;
    int n_signatures = 0;

    if (status == DKIM_STAT_NOSIG) {
        out->result = JUDGE_UNSIGNED;
        snprintf(out->reason, sizeof(out->reason), "there is no signature");
        return;
    }
    if (dkim_getsiglist(handle, &signatures, &n_signatures) != DKIM_STAT_OK || n_signatures == 0) {
        snprintf(out->reason, sizeof(out->reason), "%s", dkim_getresultstr(status));
        return;
    }
    for (int i = 0; i < n_signatures; i++)
        judge_signature(handle, signatures[i], out);
    out->result = out->n_good == out->n_signatures ? JUDGE_PASS : JUDGE_FAIL;
}

void judge_message(const struct judge *judge, const struct slice *parts, size_t n_parts,
                   const struct judge_record *records, size_t n_records, struct judge_verdict *out)
{
    struct lookup lookup = {records, n_records};
    DKIM_STAT status;
    CLEANUP(free_handle)
    DKIM *handle = dkim_verify(judge->library, (const u_char *)"judge", NULL, &status);

    *out = (struct judge_verdict){.result = JUDGE_ERROR};
    if (!handle || dkim_set_user_context(handle, &lookup) != DKIM_STAT_OK)
        snprintf(out->reason, sizeof(out->reason), "no memory");
    else
        judge_signatures(handle, feed(handle, parts, n_parts), out);
}
