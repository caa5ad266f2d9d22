// The searches somebody comes back to: one press each.
import { useSignal } from "@preact/signals";
import { t } from "../core/i18n";
import { is_shown, keep_views, show_view, type View, views_of, with_view } from "../lib/views";
import { Button } from "../ui/button";
import { FormDialog } from "../ui/dialog";
import { Field } from "../ui/form";
import { say } from "../ui/toast";

export function SavedViews({ page, filter, onShow }: { page: string; filter: string; onShow: () => void }) {
  const views = useSignal<View[]>(views_of(page));
  const naming = useSignal(false);
  const keep = (next: View[]) => {
    keep_views(page, next);
    views.value = next;
  };
  const drop = (view: View) => {
    const before = views.value;
    keep(before.filter((one) => one !== view));
    say(t("views.dropped", { name: view.name }), { until: Date.now() + 20_000, undo: async () => keep(before) });
  };
  const can_keep = filter !== "" && !views.value.some((view) => view.filter === filter);
  if (!views.value.length && !can_keep) return null;
  return (
    <div class="line" role="group" aria-label={t("views.title")}>
      {views.value.map((view) => (
        <span key={view.name} class="joined">
          <Button small pressed={is_shown(view)} onClick={() => { onShow(); show_view(view); }}>{view.name}</Button>
          <Button small icon="close" label={t("views.drop", { name: view.name })} onClick={() => drop(view)} />
        </span>
      ))}
      {can_keep && <Button small kind="quiet" icon="plus" onClick={() => { naming.value = true; }}>{t("views.keep")}</Button>}
      {naming.value && (
        <NameView filter={filter} onClose={() => { naming.value = false; }}
          onNamed={(name) => keep(with_view(views.value, { name, filter }))} />
      )}
    </div>
  );
}

function NameView({ filter, onClose, onNamed }: { filter: string; onClose: () => void; onNamed: (name: string) => void }) {
  const name = useSignal("");
  return (
    <FormDialog title={t("views.keep")} submit={t("do.save")} disabled={!name.value.trim()} onClose={onClose}
      onSubmit={() => { onNamed(name.value.trim()); onClose(); }}>
      <p class="mono break">{filter}</p>
      <Field label={t("views.name")} value={name.value} focus required hint={t("views.hint")} onInput={(text) => { name.value = text.slice(0, 40); }} />
    </FormDialog>
  );
}
