// The way to an address, walked before anybody's mail is: each step as it ends, from each address of ours.
import { useEffect } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { get, type Page, part, post, remove } from "../core/api";
import { duration } from "../core/format";
import { language, t, tn, word } from "../core/i18n";
import { listen } from "../core/live";
import { as_problem, use_resource } from "../core/resource";
import { place, set_words } from "../core/router";
import { may } from "../core/signals";
import { as_text, kinds_of, type PathJob, sentence_of, type Sentences, type Step, told, type Verdict, type Way, ways_of } from "../lib/path_test";
import { Button } from "../ui/button";
import { CopyButton } from "../ui/copy";
import { Choice, Field, use_order } from "../ui/form";
import { Card, Head } from "../ui/head";
import { Shape, StatePill, type Tone } from "../ui/state";
import { Empty, ErrorBox, Notice, Skeleton } from "../ui/states";
import { complain } from "../ui/toast";
import { Addresses, type Egress } from "./diagnostics_addresses";

const tones: Record<Verdict, Tone> = { ok: "delivered", warn: "deferred", fail: "bounced" };
const ASK_MS = 3_000; // beside the stream, which may be away

const sentences = signal<Sentences>({});

/** Those of other languages come when they are wanted; until then, and without them, English stands there. */
function use_sentences(): void {
  useEffect(() => {
    if (language.value === "en") sentences.value = {};
    else import("../i18n/it_path").then(({ path }) => { sentences.value = path; }, () => undefined);
  }, [language.value]);
}

/** A test of this page: begun, followed by the stream, asked for again when something was missed. */
function use_test() {
  const job = useSignal<PathJob | null>(null);
  const run = use_order(async (address: string, egress: string) => {
    const about = address.includes("@") ? { address } : { domain: address };
    job.value = { ...await post<PathJob>("/diagnostics/path", { ...about, ...(egress && { egress }) }), steps: [] };
    await ask();
  });
  const ask = async () => {
    const id = job.peek()?.id;
    if (!id) return;
    try {
      const found = await get<PathJob>(`/jobs/${part(id)}`);
      if (found.id === job.peek()?.id) job.value = { ...found, steps: found.steps ?? [] };
    } catch (error) {
      if (as_problem(error).status === 404) job.value = { ...job.peek()!, state: "cancelled" };
    }
  };
  const id = job.value?.id, running = job.value?.state === "running";
  useEffect(() => {
    if (!id || !running) return;
    const timer = setInterval(() => void ask(), ASK_MS);
    const end = listen("jobs", (data) => {
      const event = data as Partial<PathJob> | null, now = job.peek();
      if (!event || !now || (event.id !== now.id)) return event ? undefined : void ask();
      const next = told(now, event);
      if (next) job.value = next;
      else void ask();
    });
    return () => {
      clearInterval(timer);
      end();
    };
  }, [id, running]);
  return { job: job.value, run, running, stop: () => { if (id) remove(`/jobs/${part(id)}`).catch(complain); } };
}

export default function Diagnostics() {
  const { words } = place.value;
  const address = useSignal(words.get("address") ?? ""), egress = useSignal(words.get("egress") ?? "");
  const test = use_test();
  const addresses = use_resource<Page<Egress>>("/egress");
  const ours = [...new Set(addresses.data?.items.map((one) => one.egress))];
  use_sentences();
  const begin = () => {
    const text = address.value.trim();
    if (!text || !may("operator")) return;
    set_words({ address: text, egress: egress.value.trim() });
    void test.run.run(text, egress.value.trim());
  };
  return (
    <>
      <Head title={t("nav.diagnostics")} about={t("path.about")} />
      <Card title={t("path.title")}>
        <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); begin(); }}>
          <div class="fields">
            <Field label={t("path.address")} value={address.value} required mono placeholder="postmaster@example.org" hint={t("path.address_hint")}
              onInput={(text) => { address.value = text; }} />
            {ours.length > 1 && (
              <Choice label={t("path.egress")} value={egress.value} onPick={(name) => { egress.value = name; }}
                options={[["", t("path.each")], ...ours.map((name) => [name, name] as [string, string])]} />
            )}
          </div>
          <div class="actions">
            {test.running ? <Button icon="close" onClick={test.stop}>{t("do.stop")}</Button> : (
              <Button kind="primary" submit icon={test.job ? "retry" : "play"} busy={test.run.busy} disabled={!address.value.trim()}>
                {t(test.job ? "path.again" : "path.run")}
              </Button>
            )}
          </div>
        </form>
      </Card>
      {test.run.problem && <ErrorBox problem={test.run.problem} />}
      {test.job ? <Result job={test.job} running={test.running} />
        : !test.run.problem && <Card><Empty icon="route">{t("path.empty")}</Empty></Card>}
      {addresses.problem && <ErrorBox problem={addresses.problem} retry={addresses.reload} />}
      {ours.length > 0 && <Addresses items={addresses.data!.items} />}
    </>
  );
}

function Result({ job, running }: { job: PathJob; running: boolean }) {
  const steps = job.steps ?? [], ways = ways_of(steps);
  const ours = ways.filter(({ egress }) => egress);
  return (
    <>
      <Summary job={job} running={running} ways={ways} />
      {ours.length > 1 && <Comparison ways={ours} />}
      {ways.map((way) => (
        <Card key={way.egress} title={way.egress ? t("path.from", { address: way.egress }) : t("path.all")}
          actions={<StatePill state={way.verdict} tone={tones[way.verdict]} text={t(`verdict.${way.verdict}`)} />}>
          <ol class="timeline">{way.steps.map((step) => <StepLine key={step.n} step={step} />)}</ol>
        </Card>
      ))}
      {running && !steps.length && <Card><Skeleton lines={3} /></Card>}
    </>
  );
}

function Summary({ job, running, ways }: { job: PathJob; running: boolean; ways: Way[] }) {
  const n = ways.reduce((sum, { steps }) => sum + steps.length, 0);
  const text = running ? tn("path.running", n) : job.state === "cancelled" ? t("path.cancelled") : t(`path.ended.${job.verdict}`);
  return (
    <div role="status">
      <Notice tone={running ? "" : job.verdict === "ok" ? "good" : job.verdict === "warn" ? "warn" : "bad"}
        icon={running ? "retry" : job.verdict === "ok" ? "check" : "warning"}
        action={n > 0 && <CopyButton label={t("path.copy")} text={() => as_text(job, sentences.value)} />}>
        <p><b class="break">{job.address}</b></p>
        <p>{text}</p>
      </Notice>
    </div>
  );
}

/** How each of our addresses fared, step beside step. */
function Comparison({ ways }: { ways: Way[] }) {
  return (
    <Card title={t("path.compare")}>
      <div class="wide" tabIndex={0} role="region" aria-label={t("path.compare")}>
        <table class="plain-table">
          <thead><tr><th scope="col">{t("path.step")}</th>{ways.map(({ egress }) => <th key={egress} scope="col">{egress}</th>)}</tr></thead>
          <tbody>
            {kinds_of(ways).map((kind) => (
              <tr key={kind}>
                <th scope="row">{word("step", kind)}</th>
                {ways.map(({ egress, steps }) => <td key={egress}><Cell steps={steps.filter(({ step }) => step === kind)} /></td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Cell({ steps }: { steps: Step[] }) {
  const last = steps.at(-1);
  if (!last) return <span class="muted">—</span>;
  const ms = steps.reduce((sum, step) => sum + step.ms, 0);
  return (
    <span title={sentence_of(last, sentences.value)}>
      <StatePill state={last.verdict} tone={tones[last.verdict]} text={t(`verdict.${last.verdict}`)} /> <span class="muted small nowrap">{duration(ms / 1000)}</span>
    </span>
  );
}

function StepLine({ step }: { step: Step }) {
  return (
    <li>
      <Shape tone={tones[step.verdict]} />
      <div class="line">
        <b>{word("step", step.step)}</b>
        <StatePill state={step.verdict} tone={tones[step.verdict]} text={t(`verdict.${step.verdict}`)} />
        <span class="muted small">{duration(step.ms / 1000)}</span>
      </div>
      <p class="break">{sentence_of(step, sentences.value)}</p>
    </li>
  );
}
