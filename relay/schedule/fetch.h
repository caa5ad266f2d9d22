/* With many sites in turn each of them has long left the cache when its turn comes: the memory that
 * the decisions after this one read is fetched meanwhile (a third of a decision's time with 200,000
 * domains).  Changes nothing.  Thread: the schedule's owner. */
#pragma once

struct schedule;

void fetch_next_turns(const struct schedule *schedule); /* of schedule->ready: its first two */
