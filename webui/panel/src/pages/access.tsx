// Who may do what: administrators, programs with a token, and who is signed in now.
import { t, type Key } from "../core/i18n";
import { place, set_words } from "../core/router";
import { may } from "../core/signals";
import { Segments } from "../ui/button";
import { Head } from "../ui/head";
import { Admins } from "./access_admins";
import { Sessions } from "./access_sessions";
import { Tokens } from "./access_tokens";

type Part = "admins" | "tokens" | "sessions";

const parts: Record<Part, () => preact.JSX.Element> = { admins: Admins, tokens: Tokens, sessions: Sessions };

export default function Access() {
  const shown = (Object.keys(parts) as Part[]).filter((name) => name !== "admins" || may("owner"));
  const asked = place.value.words.get("part") as Part;
  const part = shown.includes(asked) ? asked : shown[0]!;
  const Shown = parts[part];
  return (
    <>
      <Head title={t("access.title")} />
      <div>
        <Segments label={t("access.title")} value={part} onPick={(name) => set_words({ part: name })}
          options={shown.map((name) => [name, t(`access.${name}` as Key)])} />
      </div>
      <Shown />
    </>
  );
}
