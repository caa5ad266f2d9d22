import "./common";
export { default as Login } from "../pages/login";
export { default as Setup } from "../pages/setup";
