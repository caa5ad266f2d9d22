// What a reply means, where the service did not say: by its enhanced code (RFC 3463), else its words.
// The names are those of the history's classes (policy/bounce_class.c).  Pure.

export const CAUSES = ["bad_mailbox", "bad_domain", "mailbox_full", "mailbox_closed", "blocked_address", "blocked_content",
  "authentication", "policy", "slow_down", "too_big", "protocol", "network", "server", "expired"] as const;
export type Cause = (typeof CAUSES)[number];

/** The first that fits; an enhanced code is written as 4.2.2 in the reply. */
const signs: [RegExp, Cause][] = [
  [/spamhaus|spamcop|barracuda|block ?list|blacklist|blocked using|\brbl\b|reputation|\b5\.7\.511\b/i, "blocked_address"],
  [/\b[45]\.7\.(2[0-7]|29|30|515)\b|\bspf\b|\bdkim\b|\bdmarc\b|unauthenticated/i, "authentication"],
  [/grey ?list|rate limit|too many|unusual rate|try again later|\b4\.7\.28\b|\b4\.7\.0\b|slow down|throttl/i, "slow_down"],
  [/\b[45]\.2\.2\b|over ?quota|mailbox (is )?full|quota exceeded|out of storage/i, "mailbox_full"],
  [/\b[45]\.1\.(1|3|6|10)\b|user unknown|unknown user|no such (user|mailbox)|does not exist|recipient (address )?rejected/i, "bad_mailbox"],
  [/\b[45]\.2\.1\b|disabled|inactive|suspended account/i, "mailbox_closed"],
  [/\b[45]\.1\.2\b|\b[45]\.4\.4\b|nxdomain|domain (not found|does not)|null mx/i, "bad_domain"],
  [/\b5\.3\.4\b|\b5\.2\.3\b|too (big|large)|size limit/i, "too_big"],
  [/spam|virus|malware|content/i, "blocked_content"],
  [/timed out|connection (refused|reset|lost|closed)|unreachable|no route|tls|handshake/i, "network"],
  [/\b[45]\.7\.\d+\b|polic|denied|not allowed|refused/i, "policy"],
  [/\b[45]\.5\.\d+\b|syntax/i, "protocol"],
  [/\b[45]\.[34]\.\d+\b|^4(21|5[0-3])\b/i, "server"],
];

export function cause_of(reply: string, known = ""): Cause | null {
  if ((CAUSES as readonly string[]).includes(known)) return known as Cause;
  return reply ? signs.find(([sign]) => sign.test(reply))?.[1] ?? null : null;
}
