// Compiles each schema that is named in the strict mode of Ajv; prints why one is refused, and ends with 1 then.
// Declared are the keywords that editors of the family of VS Code know, as SchemaStore declares them.
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
