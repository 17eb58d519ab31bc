"""The texts of `--help`, by command."""

from __future__ import annotations

ABOUT = """One YAML spec for a whole ML system, compiled offline into Pulumi projects with Ray on Kubernetes."""

FIRST_STEPS = """first steps:
  modelyard try                       a system with real data on this machine, up to a prediction
  modelyard init my-system            a spec to start from (see: modelyard init --list)
  modelyard validate my-system        all errors, with line and column
  modelyard compile my-system         my-system/build/default/<target>/, ready for `pulumi up`

exit codes: 0 fine, 1 the spec is wrong, 2 modelyard is wrong (please report it), 130 interrupted
"""
EXIT_CODES = "exit codes: 0 fine, 1 the input is wrong, 2 modelyard is wrong (please report it), 130 interrupted"

SUMMARIES = {
    "try": "run a system with real data on this machine, up to a prediction",
    "init": "write a spec to start from",
    "validate": "check a spec and print all errors",
    "compile": "write the Pulumi projects of a spec",
    "run": "run a system on this machine",
    "status": "show what runs on this machine, and how each workload ended last",
    "events": "show what has happened on this machine, oldest first",
    "verify": "check that projects and lock match the spec",
    "render": "print the spec after overlays and defaults, with the origin of each value",
    "explain": "explain a field, a diagnostic code, or an address such as inference.scorer",
    "graph": "draw the system: from data through models and endpoints to monitors",
    "portability": "report what would have to change to run a system on another provider",
    "migrate": "plan the move of a running system to another provider, region or target",
    "cost": "list what a system costs a month, line by line",
    "diff": "review a change: what it means, whom it reaches, and what cannot be undone",
    "report": "write a review into a folder: a comment, a web page, and files for code hosts",
    "comment": "post the comment of a report on a pull request, or update it there",
    "ci": "write a pipeline that reviews each pull request",
    "acknowledge": "accept a finding of diff, with a reason and an end",
    "approve": "sign that a version of a model may go live",
    "schema": "print the JSON Schema of a spec or of an environment, for editors",
    "completion": "print the script that completes this command line in a shell",
    "lsp": "serve an editor: errors while typing, descriptions and completion",
}

DETAILS = {
    "try": (
        "Writes a system from the template `local` into a folder, and runs it: collect data, train, gate, register,\n"
        "promote, serve, score and monitor. Then it asks the endpoint about a row that was held out of training, and\n"
        "prints request, answer and the time of each step. It needs the extra `modelyard[local]`, and no network.\n"
        "A folder that has a system goes on from where it was. Ctrl-C ends it, and leaves no process behind."
    ),
    "init": (
        "The folder becomes the system's name. The schema is written next to the spec, so that editors with a YAML\n"
        "language server complete and check it. An existing spec is left unchanged."
    ),
    "validate": (
        "One run reports all errors, each with its line and a hint; the last line names the checks that could not\n"
        "run because of them, if any. Warnings do not fail, and appear once there are no errors.\n"
        "Without --env, the base and every environment are checked, including those in files next to the spec: each\n"
        "error is reported once, with its environments if it does not affect all. What the base lacks is no error\n"
        "if every environment adds it. The command writes nothing and opens no connection."
    ),
    "compile": (
        "The projects go to build/ENVIRONMENT/TARGET/ next to the spec, each with a README.md that explains how to\n"
        "apply them, and modelyard.lock is written next to the spec. On errors nothing is written. It never\n"
        "deploys anything.\n"
        "With --against, warnings name what the change destroys compared with the old version, whatever the lock\n"
        "says; with --approved as well, nothing is written unless it is the change that was reviewed. Both read\n"
        "every environment, and only they run git."
    ),
    "run": (
        "Compiles an environment with `mode: local` and runs it: training, gates, promotion, endpoints, batch\n"
        "inference and monitors, on one Ray, with MLflow on SQLite, and folders for buckets. It needs the extra\n"
        "`modelyard[local]`. Everything is kept in .modelyard/ENVIRONMENT next to the spec, so that the next run goes\n"
        "on from there; deleting that folder starts over. Ctrl-C ends it, and leaves no process behind.\n"
        "With --sample, datasets without files are generated from what the spec declares."
    ),
    "status": "Reads the folder in which `modelyard run` keeps everything.",
    "events": "Reads the folder in which `modelyard run` keeps everything.",
    "verify": (
        "Compiles everything again in memory and compares it with the files in build/ and with modelyard.lock.\n"
        "Nothing in the output folder is trusted, not even its hashes: an edited manifest, an added file and a false\n"
        "version in the lock are errors. Run it in CI where build/ is committed, and before `pulumi up`. It writes\n"
        "nothing."
    ),
    "render": (
        "Prints YAML to standard output; a comment on each line names the file and line, or the default. Programs\n"
        "read plain YAML or JSON. Diagnostics go to standard error."
    ),
    "explain": (
        "An address is a place in a spec. The output shows where it is written, its resources and objects, their\n"
        "connections, and why they run on that machine. Fields need no spec; * stands for any name."
    ),
    "graph": (
        "The ml view shows how data becomes a model, how the model goes live, and what watches it. The network view\n"
        "shows the resources on each target and their connections. GitHub and GitLab render Mermaid in a code block;\n"
        "svg and html are files of their own, dot is for Graphviz, json for programs."
    ),
    "portability": (
        "Moves the system to each other cloud in memory, by changing only provider and region of its targets, and\n"
        "lists what is refused there. Without a region, the one in the same country with the fewest refusals is\n"
        "chosen, else one that the residency allows; a target's account is left out, because it is another one there.\n"
        "The score is the percentage of the parts of the spec (stores, models, endpoints, targets …) that no refusal\n"
        "is about. --min makes CI fail when a change ties the system to its provider. It writes nothing."
    ),
    "migrate": (
        "Compiles the system as it is, and as it would be, as another environment of the same spec, so that both can\n"
        "run at once. If that compiles, migration/ next to the spec gets migration.md for people, migration.json for\n"
        "programs, overlays, rclone.conf, and a script that copies a registry. Each phase has conditions, commands,\n"
        "checks and a way back. Otherwise the errors are listed by part of the spec: change the new side with\n"
        "--overlay. --done records a phase in migration/state.yaml, in order, and --status shows what is next.\n"
        "It opens no connection and runs none of the commands."
    ),
    "cost": (
        "Every line is a quantity times a price, with source, date and region. The floor is paid even if nothing is\n"
        "used; the ceiling is a bound by replicas, timeouts, retries and cooldowns; the expected cost follows from\n"
        "--usage, or from assumptions that each line names. ~ marks prices that are estimated from another region.\n"
        "The usage file is YAML and addressed like the spec; it may also have discounts and own prices:\n"
        "\n"
        "  inference: {scorer: {rps: {mean: 12, peak: 60}, requestBytes: 900, responseBytes: 200, requestTime: 40ms}}\n"
        "  pipelines: {retrain: {typical: 3h}}\n"
        "  data: {transactions: {rowsPerDay: 2M, bytesPerRow: 140}}\n"
        "  discounts: {compute: 28%}\n"
        "  priceBook: prices.yaml\n"
        "\n"
        "It opens no connection. docs/cost.md explains the model, and what is left out."
    ),
    "diff": (
        "Compares what two versions of a spec mean, in every environment, with variables, overlays and defaults\n"
        "applied; formatting, order and short forms are no change. `diff OLD NEW` compares two files or folders.\n"
        "`diff SPEC --against REV` compares with the commit at which this branch left REV, and `diff SPEC` with\n"
        "where it left the default branch; only these two run git.\n\n"
        "Levels: danger cannot be undone, gives up a safeguard, or lets data go where it was not; review is for\n"
        "whoever owns it to look at; a note is true and harmless. Each finding has a code for `modelyard explain`.\n"
        "If one version does not compile, the verdict is that the change cannot be judged, and the exit code is 1.\n"
        "A finding that reviews/acknowledged.yaml accepts shows who accepts it, and does not fail.\n"
        "The command writes nothing and opens no connection."
    ),
    "report": (
        "Reviews a change like `modelyard diff`, with what it does to the cost, and writes every format at once:\n"
        "comment.md for a pull request, report.html for a browser, review.json and cost.json for programs,\n"
        "review.sarif for code scanning, and codequality.json for GitLab. The folder is replaced as a whole; a\n"
        "folder with other files in it is left alone. The exit code is that of `modelyard diff`.\n"
        "The command opens no connection; `modelyard comment` posts the comment, `modelyard ci` writes a pipeline."
    ),
    "comment": (
        "Posts comment.md of a report as one comment, which later runs find by its first line and update. If nothing\n"
        "matters, only an existing comment is updated. The label modelyard/danger or modelyard/review follows the\n"
        "verdict. No comment is ever deleted. It reads what the pipelines of the host set:\n\n"
        "  github  GITHUB_TOKEN, GITHUB_REPOSITORY, GITHUB_EVENT_PATH, GITHUB_API_URL\n"
        "  gitlab  GITLAB_TOKEN, CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID\n"
        "  azure   SYSTEM_ACCESSTOKEN, SYSTEM_COLLECTIONURI, SYSTEM_TEAMPROJECTID, BUILD_REPOSITORY_ID,\n"
        "          SYSTEM_PULLREQUEST_PULLREQUESTID\n\n"
        "The token is never printed, and only sent to that host. A busy host is asked again, four times at most."
    ),
    "ci": (
        "Writes .github/workflows/modelyard.yml with modelyard-comment.yml, .gitlab/modelyard.yml, or\n"
        ".azure/modelyard.yml: `modelyard report` on each pull request, the comment, the report as an artifact, and\n"
        "the verdict last. On GitHub, the job that reads the pull request cannot write; docs/ci.md explains forks.\n"
        "With --preview, another job compares with what is deployed, where credentials are, and never for forks.\n"
        "The command opens no connection, and leaves other files alone."
    ),
    "acknowledge": (
        "Adds an entry to reviews/acknowledged.yaml next to the spec, to be committed with the change: `diff` then\n"
        "shows who accepts the finding, and does not fail because of it. An entry is for exactly this change, and\n"
        "ends on a day. Where risk is high, and where promotions need approvals or have change windows, it counts\n"
        "once it is signed by a key that the old version lists under governance.approvers; several people add an\n"
        "entry each. docs/reviewing.md describes the rules."
    ),
    "approve": (
        "ssh-keygen signs a statement about the files of one version, by their digest, with a key that the spec lists\n"
        "under governance.approvers. With --registry and --version, the digest is read from the version, and the\n"
        "statement is stored with it; the login is in MLFLOW_TRACKING_USERNAME and\n"
        "MLFLOW_TRACKING_PASSWORD. With --digest alone, the statement is printed. With --save it is written next to\n"
        "the spec, to be committed and reviewed, and counts once the compiled projects are applied. Use the --env\n"
        "that the version was trained or imported in: an approval counts in one environment."
    ),
    "schema": (
        "Prints JSON Schema, draft 2020-12. `modelyard init` writes the schema of the spec next to it; the schema of\n"
        "environments is for the files in environments/. docs/editor.md describes how to set up an editor."
    ),
    "lsp": (
        "An editor starts it and talks to it by the Language Server Protocol, over standard input and output.\n"
        "It needs an extra: pip install 'modelyard[editor]'. docs/editor.md describes how to set up an editor."
    ),
    "completion": "Source it in your shell's start-up file, or save it where the shell looks for completions.",
}

EXAMPLES = {
    "init": "modelyard init churn --template realtime",
    "validate": (
        "modelyard validate examples/visual-inspection\n"
        "  modelyard validate examples/fraud-detection --env on-prem --format github"
    ),
    "compile": "modelyard compile examples/fraud-detection --env on-prem --set replicas=4",
    "try": "modelyard try\n  modelyard try --once\n  modelyard try --ask",
    "run": ("modelyard run fraud --env dev --sample\n  modelyard run fraud pipelines.retrain --env dev --once"),
    "status": "modelyard status fraud --env dev",
    "events": "modelyard events fraud --env dev --format json",
    "verify": "modelyard verify examples/fraud-detection\n  modelyard verify examples/fraud-detection --env on-prem",
    "render": (
        "modelyard render examples/fraud-detection --env on-prem\n"
        "  modelyard render examples/fraud-detection --env on-prem --format json | jq .inference.scorer"
    ),
    "explain": (
        "modelyard explain E0203\n  modelyard explain inference.*.replicas\n"
        "  modelyard explain inference.scorer examples/fraud-detection --env on-prem"
    ),
    "graph": (
        "modelyard graph examples/fraud-detection --env on-prem > fraud.mmd\n"
        "  modelyard graph examples/fraud-detection --format html > fraud.html\n"
        "  modelyard graph examples/fraud-detection --view network"
    ),
    "portability": (
        "modelyard portability examples/fraud-detection\n"
        "  modelyard portability examples/fraud-detection --to gcp:europe-west4 --to kubernetes\n"
        "  modelyard portability examples/fraud-detection --min 90 --format json"
    ),
    "migrate": (
        "modelyard migrate . --env prod --from main --to gcp:europe-west3\n"
        "  modelyard migrate . --env prod --to gcp --overlay new-side.yaml --usage usage.yaml\n"
        "  modelyard migrate . --done 1-build\n"
        "  modelyard migrate . --status"
    ),
    "cost": (
        "modelyard cost examples/fraud-detection\n"
        "  modelyard cost examples/fraud-detection --usage usage.yaml --format markdown\n"
        "  modelyard cost examples/fraud-detection --against ../main/examples/fraud-detection"
    ),
    "diff": (
        "modelyard diff examples/fraud-detection --against main\n"
        "  modelyard diff before/system.yaml after/system.yaml --env on-prem\n"
        "  modelyard diff . --format markdown --fail-on review > comment.md"
    ),
    "report": (
        "modelyard report examples/fraud-detection --against origin/main --out report\n"
        "  modelyard report before/system.yaml after/system.yaml --fail-on never"
    ),
    "comment": "modelyard comment github --report report",
    "ci": (
        "modelyard ci github examples/fraud-detection --fail-on review\n"
        "  modelyard ci gitlab . --requirements requirements.txt --out -"
    ),
    "acknowledge": (
        "modelyard acknowledge . 68f15c1d624c --by ada@acme.example --reason 'labels are late' --until 2027-01-31\n"
        "  modelyard acknowledge . 68f15c1d624c --reason 'labels are late' --until 2027-01-31 --key ~/.ssh/id_ed25519"
    ),
    "approve": (
        "modelyard approve . --model fraud-xgb --digest sha256:2c26… --key ~/.ssh/id_ed25519 > approval.json\n"
        "  modelyard approve . --model fraud-xgb --version 7 --registry http://localhost:5000 --key ~/.ssh/id_ed25519\n"
        "  modelyard approve . --env prod --model fraud-xgb --digest sha256:2c26… --key ~/.ssh/id_ed25519 --save"
    ),
    "schema": ("modelyard schema > system.schema.json\n  modelyard schema environment > environment.schema.json"),
    "lsp": "modelyard lsp",
    "completion": (
        "source <(modelyard completion bash)\n"
        "  modelyard completion zsh > ~/.zfunc/_modelyard\n"
        "  modelyard completion fish > ~/.config/fish/completions/modelyard.fish"
    ),
}
