// Pages that are looked at one after the other come in one file: it packs better than many.
import "./common";
import "./words";
export { default as Deliveries } from "../pages/deliveries";
export { default as Destinations } from "../pages/destinations";
export { default as Diagnostics } from "../pages/diagnostics";
export { default as Logs } from "../pages/logs";
export { default as Message } from "../pages/message";
export { default as Queue } from "../pages/queue";
