/* The only file that includes curl/. */
#include "relay/cli/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "relay/base/buffer.h"
#include "relay/cli/options.h"

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
        {"not_found",        EX_NOUSER     },
        {"exists",           EX_CANTCREAT  },
        {"signer_down",      EX_UNAVAILABLE},
        {"busy",             EX_TEMPFAIL   },
        {"not_signed_in",    EX_NOPERM     },
        {"nothing_selected", EX_USAGE      }
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
    fprintf(stderr, "staffetta: %s\n", detail && *detail ? detail : code);
    return exit_code_of(answer->status, code);
}

static CURLcode perform(CURL *curl, const struct options *options, const char *method,
                        const char *path, const char *text, struct buffer *received)
{
    char url[4096];
    struct curl_slist *headers = NULL;
    CURLcode result;

    snprintf(url, sizeof(url), "http://localhost%s", path);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, options->socket_path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, received);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (text) {
        headers = curl_slist_append(headers, "Content-Type: application/json");
        headers = curl_slist_append(headers, "Expect:");
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
    }
    result = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    return result;
}

int client_ask(const struct options *options, const char *method, const char *path, json_t *body,
               struct answer *answer)
{
    CLEANUP(buffer) struct buffer received = {.limit = MAX_ANSWER};
    CLEANUP(free) char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    CURL *curl = curl_easy_init();
    CURLcode result;

    *answer = (struct answer){0};
    json_decref(body);
    if (!curl)
        return EX_OSERR;
    result = perform(curl, options, method, path, text, &received);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_cleanup(curl);
    if (result != CURLE_OK) {
        fprintf(stderr, "staffetta: no answer on %s: %s\n", options->socket_path,
                curl_easy_strerror(result));
        return EX_UNAVAILABLE;
    }
    answer->body = received.len ? json_loadb(received.data, received.len, 0, NULL) : NULL;
    return judge_answer(answer);
}
