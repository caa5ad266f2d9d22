import "./common";
export { default as Deliveries } from "../pages/me_deliveries";
export { default as Dns } from "../pages/me_dns";
export { default as Program } from "../pages/me_program";
export { default as Sending } from "../pages/me_sending";
