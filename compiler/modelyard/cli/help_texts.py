"""The text of `--help` for each command."""

from __future__ import annotations

ABOUT = """One YAML spec for a whole ML system, compiled offline into Pulumi projects with Ray on Kubernetes."""

FIRST_STEPS = """first steps:
  modelyard try                       a system with real data on this machine, up to a prediction
  modelyard init my-system            a spec to start from (see: modelyard init --list)
  modelyard validate my-system        all errors, with line and column
  modelyard compile my-system         my-system/build/default/<target>/, ready for `pulumi up`

exit codes: 0 success, 1 error in the spec, 2 internal error (please report it), 130 interrupted
"""
EXIT_CODES = "exit codes: 0 success, 1 error in the input, 2 internal error (please report it), 130 interrupted"

SUMMARIES = {
    "try": "run a system with real data on this machine, all the way to a prediction",
    "init": "write a spec to start from",
    "validate": "check a spec and print all errors",
    "compile": "write the Pulumi projects of a spec",
    "run": "run a system on this machine",
    "status": "show what is running on this machine, and how each workload's last run ended",
    "events": "show what has happened on this machine, oldest first",
    "verify": "check that projects and lock file match the spec",
    "render": "print the spec after overlays and defaults, with the origin of each value",
    "explain": "explain a field, a diagnostic code, or an address such as inference.scorer",
    "graph": "draw the system: from data through models and endpoints to monitors",
    "portability": "report what would have to change to run a system on another provider",
    "migrate": "plan the move of a running system to another provider, region or target",
    "cost": "list what a system costs per month, line by line",
    "diff": "review a change: what it means, whom it affects, and what cannot be undone",
    "report": "write a review to a folder: a comment, a web page, and files for code hosts",
    "comment": "post a report's comment on a pull request, or update it there",
    "ci": "write a pipeline that reviews each pull request",
    "acknowledge": "accept a finding of diff, with a reason and an end date",
    "approve": "sign that a version of a model may go live",
    "schema": "print the JSON Schema of a spec or of an environment, for editors",
    "completion": "print a shell completion script",
    "lsp": "run the language server: errors while typing, descriptions and completion",
}

DETAILS = {
    "try": (
        "Writes a system from the template `local` to a folder, and runs it: collect data, train, gate, register,\n"
        "promote, serve, score and monitor. Then it sends the endpoint a row that was held out of training, and\n"
        "prints the request, the response and the duration of each step. It needs the extra `modelyard[local]`, but\n"
        "no network. If the folder already has a system, that one continues. Ctrl-C stops all processes."
    ),
    "init": (
        "The folder becomes the system's name. The schema is written next to the spec, so that editors with a YAML\n"
        "language server complete and check it. An existing spec is not changed."
    ),
    "validate": (
        "One run reports all errors, each with its line and a hint; the last line names any checks that could not\n"
        "run because of them. Warnings appear once there are no errors, and do not change the exit code.\n"
        "Without --env, the base and every environment are checked, including those in files next to the spec: each\n"
        "error is reported once, with its environments if it does not affect all. A field missing from the base is\n"
        "no error if every environment adds it. The command writes nothing and opens no connection."
    ),
    "compile": (
        "The projects go to build/ENVIRONMENT/TARGET/ next to the spec, each with a README.md that explains how to\n"
        "apply them, and modelyard.lock is written next to the spec. If there are errors, nothing is written. The\n"
        "command never deploys anything.\n"
        "With --against, warnings name what the change destroys compared with the old version, whatever the lock file\n"
        "says; if --approved is also given, nothing is written unless this is the change that was reviewed. Both\n"
        "options read every environment, and only they run git."
    ),
    "run": (
        "Compiles an environment with `mode: local` and runs it: training, gates, promotion, endpoints, batch\n"
        "inference and monitors, on one Ray, with MLflow on SQLite, and folders for buckets. It needs the extra\n"
        "`modelyard[local]`. Everything is kept in .modelyard/ENVIRONMENT next to the spec, and the next run\n"
        "continues from there; delete that folder to start over. Ctrl-C stops all processes.\n"
        "With --sample, datasets without files are generated from their declarations in the spec."
    ),
    "status": "Reads the folder in which `modelyard run` keeps everything.",
    "events": "Reads the folder in which `modelyard run` keeps everything.",
    "verify": (
        "Compiles everything again in memory and compares it with the files in build/ and with modelyard.lock.\n"
        "Nothing in the output folder is trusted, not even its hashes: an edited manifest, an added file and a wrong\n"
        "version in the lock file are errors. Run it before `pulumi up`, and in CI if build/ is committed. It writes\n"
        "nothing."
    ),
    "render": (
        "Prints YAML to standard output; a comment on each line says which file and line, or default, the value comes\n"
        "from. For programs, --format prints plain YAML or JSON. Diagnostics go to standard error."
    ),
    "explain": (
        "An address is a place in a spec. The output shows where it is written, its resources and objects, their\n"
        "connections, and why they run on that machine. Explaining a field needs no spec; * matches any name."
    ),
    "graph": (
        "The ml view shows how data becomes a model, how the model goes live, and what monitors it. The network view\n"
        "shows the resources on each target and their connections. GitHub and GitLab render Mermaid in a code block;\n"
        "svg and html are standalone files, dot is for Graphviz, and json is for programs."
    ),
    "portability": (
        "Moves the system to each other cloud in memory, by changing only the provider and region of its targets, and\n"
        "lists the errors there. If no region is given, the one in the same country with the fewest errors is\n"
        "chosen, or else one that the residency allows; a target's account is left out, because it will be different.\n"
        "The score is the percentage of the spec's parts (stores, models, endpoints, targets …) without an error.\n"
        "With --min, CI fails when a change ties the system to its provider. The command writes nothing."
    ),
    "migrate": (
        "Compiles the system as it is and as it will be, in another environment of the same spec, so that both can\n"
        "run at once. If both compile, migration/ next to the spec gets migration.md for people, migration.json for\n"
        "programs, overlays, rclone.conf, and a script that copies a registry. Each phase has conditions, commands,\n"
        "checks and a way back. Otherwise, the errors are listed by part of the spec: change the new side with\n"
        "--overlay. --done records completed phases, in order, in migration/state.yaml, and --status shows what is\n"
        "next. The command opens no connection and runs none of the plan's commands.\n"
        "\n"
        "--rehearse carries out the whole move on this machine, in .modelyard/NAME.rehearsal: it runs the plan's\n"
        "commands on a copy of each side, with folders for buckets and stand-ins for pulumi, kubectl and crane. It\n"
        "needs rclone, and Ray and MLflow like modelyard run. After an interruption, the same command continues. The\n"
        "report lists how the rehearsal differed from the real move."
    ),
    "cost": (
        "Every line is a quantity times a price, with its source, date and region. The floor is paid even if nothing\n"
        "is used; the ceiling follows from the limits on replicas, timeouts, retries and cooldowns; the expected cost\n"
        "follows from --usage, or from assumptions stated on each line. ~ marks prices estimated from another region.\n"
        "The usage file is YAML, structured like the spec; it can also contain discounts and your own prices:\n"
        "\n"
        "  inference: {scorer: {rps: {mean: 12, peak: 60}, requestBytes: 900, responseBytes: 200, requestTime: 40ms}}\n"
        "  pipelines: {retrain: {typical: 3h}}\n"
        "  data: {transactions: {rowsPerDay: 2M, bytesPerRow: 140}}\n"
        "  discounts: {compute: 28%}\n"
        "  priceBook: prices.yaml\n"
        "\n"
        "The command opens no connection. docs/cost.md explains the model and what it leaves out."
    ),
    "diff": (
        "Compares what two versions of a spec mean, in every environment, with variables, overlays and defaults\n"
        "applied; formatting, order and short forms do not count. `diff OLD NEW` compares two files or folders.\n"
        "`diff SPEC --against REV` compares with the commit at which this branch left REV, and `diff SPEC` with\n"
        "where it left the default branch; only these two run git.\n\n"
        "Levels: a danger cannot be undone, removes a safeguard, or lets data go to new places; a review item needs a\n"
        "look from its owner; a note is harmless. Each finding has a code for `modelyard explain`.\n"
        "If one version does not compile, the verdict is that the change cannot be judged, and the exit code is 1.\n"
        "A finding accepted in reviews/acknowledged.yaml shows who accepts it, and does not count as a failure.\n"
        "The command writes nothing and opens no connection."
    ),
    "report": (
        "Reviews a change like `modelyard diff`, with what it does to the cost, and writes every format at once:\n"
        "comment.md for a pull request, report.html for a browser, review.json and cost.json for programs,\n"
        "review.sarif for code scanning, and codequality.json for GitLab. The folder is replaced as a whole; a\n"
        "folder that contains other files is not touched. The exit code is that of `modelyard diff`.\n"
        "The command opens no connection; `modelyard comment` posts the comment, `modelyard ci` writes a pipeline."
    ),
    "comment": (
        "Posts a report's comment.md as one comment, which later runs find by its first line and update. If there is\n"
        "nothing to report, only an existing comment is updated. The label modelyard/danger or modelyard/review\n"
        "follows the verdict. Comments are never deleted. It reads variables that the host's pipelines set:\n\n"
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
        "With --preview, another job compares with what is deployed, if it has credentials, and never for forks.\n"
        "The command opens no connection and changes no other files."
    ),
    "acknowledge": (
        "Adds an entry to reviews/acknowledged.yaml next to the spec, to be committed with the change: `diff` then\n"
        "shows who accepts the finding, and does not fail because of it. An entry covers exactly this change, and\n"
        "expires on a given day. At high risk, or if promotions need approvals or have change windows, it counts only\n"
        "if it is signed by a key that the old version lists under governance.approvers; if several people must sign,\n"
        "each adds an entry. docs/reviewing.md describes the rules."
    ),
    "approve": (
        "ssh-keygen signs a statement about the files of one version, by their digest, with a key that the spec lists\n"
        "under governance.approvers. With --registry and --version, the digest is read from the version, and the\n"
        "statement is stored with it; the login is in MLFLOW_TRACKING_USERNAME and\n"
        "MLFLOW_TRACKING_PASSWORD. With --digest alone, the statement is printed. With --save it is written next to\n"
        "the spec, to be committed and reviewed, and counts once the compiled projects are applied. An approval\n"
        "counts in one environment, so pass the --env in which the version was trained or imported."
    ),
    "schema": (
        "Prints JSON Schema, draft 2020-12. `modelyard init` writes the schema of the spec next to it; the schema of\n"
        "environments is for the files in environments/. docs/editor.md describes how to set up an editor."
    ),
    "lsp": (
        "An editor starts it and talks to it over standard input and output, using the Language Server Protocol.\n"
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
        "  modelyard migrate . --env prod --from main --to gcp:europe-west3 --rehearse\n"
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
        "  modelyard ci gitlab . --requirements requirements.txt --out -\n"
        "  modelyard ci azure . --source git+https://git.acme.example/modelyard@83baae61804e65cc73a7201a7252750c76066a30"
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
