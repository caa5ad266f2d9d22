import "./common";
export { default as Overview } from "../pages/overview";
