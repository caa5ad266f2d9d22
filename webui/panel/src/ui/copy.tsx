// Text that people take elsewhere.
import { useSignal } from "@preact/signals";
import { t } from "../core/i18n";
import { Button } from "./button";
import { Icon } from "./icon";

/** Without a secure origin there is no clipboard: then the text is selected, and Ctrl-C does it. */
export async function copy(text: string, element?: Element | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (element) getSelection()?.selectAllChildren(element);
    return false;
  }
}

export function CopyButton({ text, label, small = true }: { text: string | (() => string); label?: string; small?: boolean }) {
  const done = useSignal(false);
  const press = async () => {
    done.value = await copy(typeof text === "string" ? text : text());
    setTimeout(() => { done.value = false; }, 2_000);
  };
  return (
    <Button small={small} icon={done.value ? "check" : "copy"} onClick={() => void press()}>
      <span aria-live="polite">{done.value ? t("do.copied") : (label ?? t("do.copy"))}</span>
    </Button>
  );
}

export function CopyField({ text, label, lines }: { text: string; label?: string; lines?: boolean }) {
  const done = useSignal(false);
  const press = async (event: MouseEvent) => {
    done.value = await copy(text, (event.currentTarget as Element).previousElementSibling);
    setTimeout(() => { done.value = false; }, 2_000);
  };
  return (
    <div class="copy">
      {lines ? <pre class="mono">{text}</pre> : <code>{text}</code>}
      <button type="button" class="button square" title={t("do.copy")} onClick={(event) => void press(event)}
        aria-label={label ? `${t("do.copy")}: ${label}` : t("do.copy")}>
        <CopyMark done={done.value} />
      </button>
    </div>
  );
}

function CopyMark({ done }: { done: boolean }) {
  return <><Icon name={done ? "check" : "copy"} /><span class="unseen" role="status">{done ? t("do.copied") : ""}</span></>;
}
