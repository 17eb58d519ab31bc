if [ -z "${PULUMI_ACCESS_TOKEN:-}${PULUMI_BACKEND_URL:-}" ]; then
  echo "nothing is previewed: neither PULUMI_BACKEND_URL nor PULUMI_ACCESS_TOKEN is set"
  exit 0
fi
folder=$(mktemp -d)
log="$folder/log"
stack="$MODELYARD_PREVIEW"
text() { sed 's/#/# /g; s/::/: :/g' "$log"; } # a quoted line must not become a command of the runner
set -- --out "$folder/build" --forget-removed
[ "$stack" = default ] || set -- "$@" --env "$stack"
modelyard compile "$MODELYARD_SPEC" "$@" > "$log" 2>&1 || { text; exit 0; } # the review says why
# Settings that people made are in the stack's last deployment. Those that the new version writes go first.
settings='import sys, yaml
deployed, written = (yaml.safe_load(open(name, encoding="utf-8")) or {} for name in sys.argv[1:])
deployed["config"] = {**(deployed.get("config") or {}), **(written.get("config") or {})}
yaml.safe_dump(deployed, open(sys.argv[1], "w", encoding="utf-8"))'
# What a review reads of a preview. The rest, such as the outputs of resources, stays here.
steps='import json, sys
found = json.load(open(sys.argv[1], encoding="utf-8"))
states = ("oldState", "newState")
def step(one):
    parents = {name: {"parent": one[name].get("parent")} for name in states if one.get(name)}
    return {"op": one["op"], "urn": one["urn"], **parents}
problems = [{"severity": "error", "message": one["message"]} for one in found.get("diagnostics") or () if one["severity"] == "error"]
print(json.dumps({"steps": [step(one) for one in found["steps"]], "diagnostics": problems}))'
mkdir -p modelyard-previews
for written in "$folder/build/$stack"/*/*/Pulumi."$stack".yaml "$folder/build/$stack"/*/*/Pulumi."$stack".*.yaml; do
  if [ ! -f "$written" ]; then continue; fi
  project="$(dirname "$written")"
  name="$(basename "${written##*/Pulumi.}" .yaml)" # the stack: the environment, or ENVIRONMENT.SITE
  cp "$written" "$folder/written.yaml"
  file="modelyard-previews/$(basename "$(dirname "$project")")-$(basename "$project")${name#"$stack"}.json"
  if pulumi --cwd "$project" --non-interactive config refresh --force --stack "$name" > "$log" 2>&1 &&
    python -I -c "$settings" "$written" "$folder/written.yaml" > "$log" 2>&1 &&
    pulumi --cwd "$project" --non-interactive install > "$log" 2>&1; then
    pulumi --cwd "$project" --non-interactive preview --json --stack "$name" > "$folder/preview.json" 2> "$log" || true
    python -I -c "$steps" "$folder/preview.json" > "$file" 2>> "$log" || { rm "$file"; text; }
  else
    text
  fi
done
