// How a destination stands, in a word: the scheduler's many reasons, gathered.  Pure.
import type { Tone } from "../ui/state";

export type Standing = "flows" | "paced" | "slowed" | "resting" | "suspended" | "unreachable" | "held" | "stuck" | "idle";

const standings: Record<string, Standing> = {
  nothing_queued: "idle",
  next_in_line: "flows", behind_others: "flows", sending: "flows", resolving: "flows", probe: "resting",
  retry_time: "flows", unreachable: "unreachable", held: "held", quota: "held", braked: "held",
  connection_limit: "paced", connection_rate: "paced", message_rate: "paced", outgoing_connections: "paced", warm_up: "paced",
  provider_connection_limit: "paced", provider_connection_rate: "paced", provider_message_rate: "paced",
  user_message_rate: "paced", campaign_message_rate: "paced",
  slowed_down: "slowed", resting: "resting", provider_resting: "resting", address_resting: "resting",
  suspended: "suspended", provider_suspended: "suspended", address_suspended: "suspended", user_suspended: "suspended",
  campaign_suspended: "suspended", no_signer: "stuck", no_address: "stuck", paused: "stuck",
};

const tones: Record<Standing, Tone> = {
  flows: "delivered", paced: "queued", slowed: "deferred", resting: "deferred", suspended: "held", unreachable: "bounced",
  held: "held", stuck: "bounced", idle: "plain",
};

export const standing_of = (why: string): Standing => standings[why] ?? "flows";
export const tone_of_standing = (standing: Standing): Tone => tones[standing];
export const is_stopped = (why: string): boolean => ["suspended", "resting"].includes(standing_of(why));
