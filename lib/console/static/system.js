import { start, watch } from "./page.js";

start({ runs: { row: (_, run, before) => { if (run) watch(run, before); } } });
