// What is shown once: a password, a token, recovery codes.
import { t } from "../core/i18n";
import { Button } from "./button";
import { CopyField } from "./copy";
import { Dialog } from "./dialog";
import { Notice } from "./states";

/** Closes by its button: a click beside it must not lose what cannot be shown again. */
export function SecretDialog({ title, secret, warning, onClose, more }: {
  title: string; secret: string; warning: string; onClose: () => void; more?: preact.ComponentChildren;
}) {
  return (
    <Dialog title={title} onClose={onClose} firm>
      <CopyField text={secret} label={title} lines={secret.includes("\n")} />
      <Notice tone="warn" icon="warning">{warning}</Notice>
      {more}
      <footer><Button kind="primary" onClick={onClose}>{t("do.close")}</Button></footer>
    </Dialog>
  );
}
