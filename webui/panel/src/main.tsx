import "./css/index.css";
import "./bundles/common";
import { render } from "preact";
import { App } from "./app";
import { follow } from "./core/router";
import { density, set_density, theme, wear } from "./core/theme";

wear(theme.value);
set_density(density.value);
document.addEventListener("click", follow);
render(<App />, document.getElementById("app")!);
