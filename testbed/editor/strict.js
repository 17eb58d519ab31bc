// Compiles each given schema in Ajv's strict mode; prints why one is refused, and then exits with status 1.
// Declares the keywords that VS Code and related editors support, as SchemaStore does.
const fs = require("fs");
const Ajv = require(require.resolve("ajv/dist/2020", { paths: [process.cwd()] }));

let code = 0;
for (const file of process.argv.slice(2)) {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true });
  ajv.addVocabulary(["defaultSnippets", "doNotSuggest", "errorMessage", "patternErrorMessage"]);
  try {
    ajv.compile(JSON.parse(fs.readFileSync(file, "utf8")));
  } catch (problem) {
    console.log(`${file}: ${problem.message}`);
    code = 1;
  }
}
process.exit(code);
