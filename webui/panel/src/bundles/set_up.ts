export { default as Dns } from "../pages/me_dns";
export { default as Program } from "../pages/me_program";
