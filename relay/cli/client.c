/* The only file that includes curl/. */
#include "relay/cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "relay/base/buffer.h"
#include "relay/cli/options.h"
#include "relay/cli/print.h"

enum { TIMEOUT_S = 120, MAX_ANSWER = 256 * 1024 * 1024 };

static size_t collect(char *data, size_t size, size_t n, void *owner)
{
    struct buffer *buffer = owner;

    buffer_append(buffer, slice_from(data, size * n));
    return buffer->failed ? 0 : size * n;
}

char *client_escape(const char *text)
{
    char *escaped = curl_easy_escape(NULL, text, 0);
    char *copy = escaped ? strdup(escaped) : NULL;

    curl_free(escaped);
    return copy;
}

/* What an HTTP status and a problem's code mean to a shell. */
static int exit_code_of(long status, const char *code)
{
    static const struct {
        const char *code;
        int exit_code;
    } rows[] = {
        {"needs_sender",     EX_USAGE      },
        {"nothing_selected", EX_USAGE      },
        {"bad_type",         EX_USAGE      },
        {"bad_state",        EX_USAGE      },
        {"bad_span",         EX_USAGE      },
        {"bad_from",         EX_USAGE      },
        {"not_found",        EX_NOUSER     },
        {"exists",           EX_CANTCREAT  },
        {"signer_down",      EX_UNAVAILABLE},
        {"busy",             EX_TEMPFAIL   },
        {"failed",           EX_IOERR      },
        {"not_signed_in",    EX_NOPERM     }
    };

    for (size_t i = 0; code && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].code, code) == 0)
            return rows[i].exit_code;
    if (status >= 500)
        return status == 503 ? EX_UNAVAILABLE : EX_SOFTWARE;
    return status == 422 || status == 400 ? EX_DATAERR : EX_SOFTWARE;
}

static int judge_answer(const struct answer *answer)
{
    const char *code = json_string_value(json_object_get(answer->body, "code"));
    const char *detail = json_string_value(json_object_get(answer->body, "detail"));

    if (answer->status >= 200 && answer->status < 300)
        return EX_OK;
    if (!code)
        return exit_code_of(answer->status, NULL); /* health: its body says what is wrong */
    print_complaint(detail && *detail ? detail : code);
    return exit_code_of(answer->status, code);
}

static struct curl_slist *headers_for(const char *text)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");

    return *text ? curl_slist_append(headers, "Content-Type: application/json") : headers;
}

static CURLcode perform(CURL *curl, const char *method, const char *url, const char *text,
                        struct buffer *received)
{
    struct curl_slist *headers = headers_for(text);
    CURLcode result;

    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L); /* a user may be called ".." */
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, received);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (*text || strcmp(method, "POST") == 0)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    result = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    return result;
}

static int no_answer(CURL *curl, CURLcode result, const char *socket_path)
{
    long os_error = 0;

    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
    fprintf(stderr, "staffetta: no answer on %s: %s\n", socket_path,
            os_error ? strerror((int)os_error) : curl_easy_strerror(result));
    return os_error == EACCES || os_error == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
}

static int ask(CURL *curl, const struct options *options, const char *method, const char *path,
               const char *text, struct answer *answer)
{
    CLEANUP(buffer) struct buffer received = {.limit = MAX_ANSWER};
    CLEANUP(free) char *url = NULL;
    CURLcode result;

    if (asprintf(&url, "http://localhost%s", path) < 0)
        return EX_OSERR;
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, options->socket_path);
    result = perform(curl, method, url, text, &received);
    if (result != CURLE_OK)
        return no_answer(curl, result, options->socket_path);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    answer->body = received.len ? json_loadb(received.data, received.len, 0, NULL) : NULL;
    if (answer->body || answer->status == 204)
        return judge_answer(answer);
    fprintf(stderr, "staffetta: what answers on %s is not the service\n", options->socket_path);
    return EX_PROTOCOL;
}

int client_ask(const struct options *options, const char *method, const char *path, json_t *body,
               struct answer *answer)
{
    CLEANUP(free) char *text = body ? json_dumps(body, JSON_COMPACT) : strdup("");
    CURL *curl = curl_easy_init();
    int exit_code = EX_OSERR;

    *answer = (struct answer){0};
    json_decref(body);
    if (curl && text && path)
        exit_code = ask(curl, options, method, path, text, answer);
    curl_easy_cleanup(curl);
    return exit_code;
}
