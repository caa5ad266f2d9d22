/* What became of mail, as the API shows it.  Thread: any. */
#pragma once

#include "relay/events/history_reader.h"
#include "webui/exchange.h"
#include "webui/filter_words.h"

/* {at,id,n,user,sender,recipient,site,mx,egress,state,code,enhanced,reply,class,…} */
json_t *history_row_json(const struct history_row *row);

/* One line with CRLF; cells that a spreadsheet would take for a formula begin with an apostrophe.
 */
void history_csv_head(struct buffer *out);
void history_csv_row(const struct history_row *row, struct buffer *out);

void csv_cell(struct buffer *out, struct slice text, char behind); /* behind: ',' or '\n' */

/* False: a word has no meaning for what is past. */
bool history_filter_of(const struct filter_words *words, int64_t now_utc_ms,
                       struct history_filter *out);
