// Seconds that run out while somebody looks.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";

export function use_countdown(): { left: number; begin(seconds: number): void } {
  const end = useSignal(0), left = useSignal(0);
  useEffect(() => {
    if (!end.value) return;
    const timer = setInterval(() => {
      left.value = Math.max(0, Math.ceil((end.value - Date.now()) / 1000));
      if (!left.value) end.value = 0;
    }, 250);
    return () => clearInterval(timer);
  }, [end.value]);
  return {
    left: left.value,
    begin: (seconds) => {
      left.value = Math.ceil(seconds);
      end.value = Date.now() + seconds * 1000;
    },
  };
}
