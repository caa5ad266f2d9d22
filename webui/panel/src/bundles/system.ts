export { default as About } from "../pages/about";
export { default as Access } from "../pages/access";
export { default as Audit } from "../pages/audit";
export { default as Settings } from "../pages/settings";
