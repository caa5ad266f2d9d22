import "./common";
import "./words";
export { DayChart } from "../pages/overview_chart";
export { default as Graphs } from "../pages/graphs";
