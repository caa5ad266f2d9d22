export { default as Deliveries } from "../pages/me_deliveries";
export { default as Sending } from "../pages/me_sending";
