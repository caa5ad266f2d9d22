// What the service writes, as it writes it.
import { useSignal } from "@preact/signals";
import { when } from "../core/format";
import { t, tn, type Key } from "../core/i18n";
import { download } from "../core/csv";
import { type LogLine, use_log_tail } from "../core/log_tail";
import { stale_since } from "../core/live";
import { message_place } from "../core/mail";
import { place, set_words } from "../core/router";
import { Button, Segments } from "../ui/button";
import { CopyButton } from "../ui/copy";
import { Drawer } from "../ui/dialog";
import { Field } from "../ui/form";
import { Facts, Head } from "../ui/head";
import { StatePill, type Tone } from "../ui/state";
import { Empty, ErrorBox, Skeleton } from "../ui/states";
import { type Column, DataTable } from "../ui/table";

const levels = ["", "error", "warning", "info"] as const;
const tones: Record<string, Tone> = { error: "bounced", warning: "deferred", notice: "queued", info: "plain", debug: "plain" };

function Level({ level }: { level: string }) {
  return <StatePill state={level} tone={tones[level] ?? "plain"} text={t((`level.${level}` in known ? `level.${level}` : "level.info") as Key)} />;
}

const known = { "level.error": 1, "level.warning": 1, "level.notice": 1, "level.info": 1, "level.debug": 1 };

const columns = (): Column<LogLine>[] => [
  { key: "ts", title: t("logs.time"), width: "5.5rem", cell: ({ ts }) => <span title={ts}>{when(ts, "clock")}</span> },
  { key: "level", title: t("logs.level"), width: "7.5rem", card: "state", cell: ({ level }) => <Level level={level} /> },
  { key: "event", title: t("logs.event"), width: "11rem", card: "title", cell: ({ event }) => <b>{event}</b> },
  { key: "line", title: t("logs.line"), width: "minmax(0, 1fr)", cell: ({ line, event }) => <code>{without_event(line, event)}</code> },
];

/** The event has a column of its own. */
function without_event(line: string, event: string): string {
  const at = line.indexOf(`event=${event}`);
  return at < 0 ? line : line.slice(at + 6 + event.length).trim();
}

export default function Logs() {
  const { words } = place.value;
  const paused = useSignal(false);
  const open = useSignal<LogLine | null>(null);
  const params = { level: words.get("level"), text: words.get("text"), event: words.get("event") };
  const tail = use_log_tail(params, paused.value || open.value !== null);
  return (
    <>
      <Head title={t("nav.logs")} about={t("logs.about")}>
        <Button icon={paused.value ? "play" : "pause"} pressed={paused.value} onClick={() => { paused.value = !paused.value; }}>
          {paused.value ? t("logs.go_on") : t("logs.pause")}
        </Button>
        <CopyButton small={false} text={() => tail.rows.map(({ ts, line }) => `${ts} ${line}`).join("\n")} />
        <Button icon="download" onClick={() => download("staffetta.log", `${tail.rows.map(({ ts, line }) => `${ts} ${line}`).join("\n")}\n`, "text/plain")}>
          {t("logs.download")}
        </Button>
      </Head>
      <div class="line">
        <Segments label={t("logs.level")} value={params.level ?? ""} onPick={(level) => set_words({ level })}
          options={levels.map((level) => [level as string, t((level ? `level.${level}` : "logs.any") as Key)])} />
        <div class="short-search">
          <Field label={t("logs.search")} unseen type="search" placeholder={t("logs.search")} value={params.text ?? ""}
            onInput={(text) => set_words({ text })} />
        </div>
        <span class="muted small" role="status">
          {paused.value ? tn("logs.waiting", tail.waiting) : stale_since.value === null && !tail.problem && t("logs.live")}
        </span>
      </div>
      {tail.problem && <ErrorBox problem={tail.problem} retry={tail.reload} />}
      {tail.is_new && !tail.problem ? <div class="card"><Skeleton lines={12} /></div>
        : tail.rows.length > 0
          ? (
            <div class="card flush">
              <DataTable label={t("nav.logs")} columns={columns()} rows={tail.rows} key_of={({ n }) => String(n)} more={tail.more} busy={tail.busy}
                onOpen={(line) => { open.value = line; }} />
            </div>
          )
          : !tail.problem && <div class="card"><Empty icon="logs">{t(params.text || params.level ? "logs.none_match" : "logs.empty")}</Empty></div>}
      {open.value && <Line line={open.value} onClose={() => { open.value = null; }} />}
    </>
  );
}

function Line({ line, onClose }: { line: LogLine; onClose: () => void }) {
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return (
    <Drawer title={line.event} onClose={onClose}>
      <div class="line"><Level level={line.level} /><span class="muted">{when(line.ts, "full")}</span></div>
      <Facts rows={Object.entries(line.fields).map(([name, value]) => [name,
        name === "msg" ? <a href={message_place(text(value))}>{text(value)}</a> : <span class="mono break">{text(value)}</span>])} />
      <div class="reply">{line.line}</div>
      <div><CopyButton text={`${line.ts} ${line.line}`} /></div>
    </Drawer>
  );
}
