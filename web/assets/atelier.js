"use strict";
// What the pages do beyond HTML: parts that follow the tables, ticking many, dragging pictures, keys. Texts enter a
// page as text; HTML comes from our own server alone, which has escaped it.

const formToken = document.querySelector("meta[name=form-token]").content;

// On a phone the sections scroll: the one that is shown must be seen.
document.querySelector(".bar [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

// --- Live parts: [data-live] is fetched again whenever something changed.

const parts = [...document.querySelectorAll("[data-live]")];

function showLive(isLive) { document.querySelector(".live-state").hidden = isLive; }

async function refresh(part) {
    if (part.busy) { part.again = true; return; }
    part.busy = true;
    try {
        const answer = await fetch(part.dataset.live, { headers: { Accept: "text/html" }, redirect: "manual" });
        const place = answer.headers.get("X-Location");
        if (place) { location.replace(place); return; }
        if (answer.type === "opaqueredirect" || [401, 404].includes(answer.status)) { location.reload(); return; }
        showLive(answer.ok);
        if (!answer.ok) return;
        const html = await answer.text();
        // A press is a click only where what was pressed still stands at its end: what changed comes a moment later.
        if (html !== part.shown && !part.matches(":active")) replace(part, html);
        if ("untilFinal" in part.dataset) {
            const isFinal = ["completed", "cancelled", "discarded"].includes(stateOf(part));
            if (isFinal) parts.splice(parts.indexOf(part), 1);
        }
    } catch { showLive(false); } finally {
        part.busy = false;
        if (part.again) { part.again = false; refresh(part); }
    }
}

// Replaces a part, and keeps what the reader did to it: ticks, open details, how far it is scrolled, the focus. What
// was announced is not announced again.
function replace(part, html) {
    const first = part.shown === undefined;
    part.shown = html;
    const ticked = new Set([...part.querySelectorAll("input:checked")].map(box => box.value));
    const open = new Set([...part.querySelectorAll("details[open]")].map(one => one.id));
    const focus = part.contains(document.activeElement) ? finder(document.activeElement, part) : null;
    if (getSelection().toString() && part.contains(getSelection().anchorNode) && !first) { part.shown = null; return; }
    const said = new Set([...part.querySelectorAll("[role=alert], [data-said]")].map(one => one.textContent));
    const state = stateOf(part);
    const scrolled = [...part.querySelectorAll(".scroll, pre")].map(one => [one.scrollLeft, one.scrollTop]);
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    for (const alert of fresh.content.querySelectorAll("[role=alert]")) {
        if (!said.has(alert.textContent)) continue;
        alert.removeAttribute("role");
        alert.dataset.said = "";
    }
    part.replaceChildren(fresh.content);
    for (const box of part.querySelectorAll("input[type=checkbox]")) box.checked = ticked.has(box.value);
    for (const one of part.querySelectorAll("details")) if (open.has(one.id)) one.open = true;
    part.querySelectorAll(".scroll, pre").forEach((one, index) => one.scrollTo(...scrolled[index] ?? [0, 0]));
    focus?.()?.focus({ preventScroll: true });
    if (stateOf(part) !== state) announce(part);
    showTicked();
}

// Gives what finds a control again once its part was replaced, in its job's row where it is in one: by what it does.
// Where it stood another may stand now, and who was about to cancel would delete.
function finder(control, part) {
    const job = control.closest("[data-job]")?.dataset.job;
    const wanted = purpose(control);
    return () => {
        const place = job ? part.querySelector(`[data-job="${job}"]`) : part;
        return [...place?.querySelectorAll(control.tagName) ?? []].find(other => purpose(other) === wanted);
    };
}

function purpose(control) {
    const target = control.getAttribute("href");
    return target ?? `${control.parentElement.id} ${control.value ?? ""} ${control.textContent}`;
}

function stateOf(part) { return part.querySelector("[data-state]")?.dataset.state; }

// For who does not see the page: what is put into it as it is replaced no screen reader says by itself.
function announce(part) {
    const place = document.querySelector("[data-news]");
    if (place) place.textContent = `${part.querySelector("h1").textContent}: ${stateOf(part)}`;
}

if (parts.length) {
    let feed, later;
    const changed = () => parts.length ? parts.forEach(refresh) : leave();
    const leave = () => {
        clearTimeout(later);
        feed?.close();
    };
    const listen = () => {
        leave();
        feed = new EventSource("/live");
        feed.addEventListener("change", changed);
        feed.onerror = () => {
            showLive(false);
            if (feed.readyState !== EventSource.CLOSED) return;
            // After an answer that is no stream a browser does not ask again by itself.
            changed();
            later = setTimeout(listen, 5000);
        };
    };
    // A page that nobody sees lets go: browsers make six connections to a host, and a seventh tab would only wait.
    const follow = () => document.hidden || !parts.length ? leave() : listen();
    follow();
    document.addEventListener("visibilitychange", follow);
    addEventListener("pagehide", leave);
    addEventListener("pageshow", event => { if (event.persisted) follow(); });
}

// --- What is long is loaded where it is opened, and each time anew: there may be more of it.

document.addEventListener("toggle", async event => {
    const { load } = event.target.dataset;
    if (!load || !event.target.open) return;
    const answer = await fetch(load, { headers: { Accept: "text/html" }, redirect: "manual" }).catch(() => null);
    // Else the link stays, which says what is wrong.
    if (answer?.ok) event.target.querySelector("div").innerHTML = await answer.text();
}, true);

// --- Many at once

function showTicked() {
    for (const form of document.querySelectorAll("form[data-many]")) {
        const boxes = [...form.querySelectorAll("tbody input[type=checkbox]")];
        const count = boxes.filter(box => box.checked).length;
        const all = form.querySelector("input[name=all]")?.checked;
        const words = form.querySelector(".ticked");
        if (!words) continue;
        words.textContent = all ? "All of them" : count ? `${count} ticked` : "Tick some";
        for (const button of form.querySelectorAll(".actions button")) button.disabled = !count && !all;
    }
}
document.addEventListener("change", event => {
    const box = event.target;
    if ("all" in box.dataset) {
        for (const other of box.closest("form").querySelectorAll("tbody input[type=checkbox]")) {
            other.checked = box.checked;
        }
    }
    showTicked();
});
showTicked();

// --- Keys

const places = { q: "/", j: "/jobs", c: "/concepts", p: "/playground", m: "/models", f: "/failures" };
let isGoing = false;
document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    if (isGoing && places[event.key]) { location.href = places[event.key]; return; }
    isGoing = event.key === "g";
    if (event.key !== "g" && event.key.length === 1) {
        const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
        if (!target) return;
        event.preventDefault();
        target.matches("a") ? target.click() : target.focus();
    }
});

// --- The playground: a concept's name into the prompt, and its model with it

document.addEventListener("click", event => {
    const chip = event.target.closest("[data-insert]");
    if (!chip) return;
    const form = chip.form ?? chip.closest("form");
    const area = form.querySelector("[data-prompts]");
    area.setRangeText(chip.dataset.insert, area.selectionStart, area.selectionEnd, "end");
    const model = form.elements.model;
    if ([...model.options].some(option => option.value === chip.dataset.model)) model.value = chip.dataset.model;
    area.focus();
    form.dispatchEvent(new Event("change"));
});

// --- What a job would take: a daemon is asked a moment after the last change of its form

const anyPicture = { artifact: "sha256:" + "0".repeat(64) };

// The body is JSON as text, or the fields of a form.
function posting(body) {
    const headers = { Accept: "application/json", "X-Form-Token": formToken };
    if (!(body instanceof URLSearchParams)) headers["Content-Type"] = "application/json";
    return { method: "POST", headers, body };
}

function question(address, body) { return { address, request: posting(body) }; }

function ofTenant(address, tenant) {
    return address + (tenant ? "?tenant=" + encodeURIComponent(tenant) : "");
}

function duration(seconds) {
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    if (seconds < 90) return `${Math.round(seconds)} s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
    return `${Math.floor(seconds / 3600)} h ${Math.round(seconds % 3600 / 60)} min`;
}

function bytes(count) {
    const mebibytes = count / 1048576;
    return mebibytes < 1000 ? `${Math.max(1, Math.round(mebibytes))} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

function paragraph(kind, ...parts) {
    const one = document.createElement("p");
    if (kind) one.className = kind;
    one.append(...parts);
    return one;
}

function figures(told) {
    const time = document.createElement("strong");
    time.textContent = "About " + duration(told.seconds);
    const basis = told.jobs === 0 ? "no job of its kind was done before"
        : `by ${told.jobs} job${told.jobs === 1 ? "" : "s"} of its kind`;
    const lines = [paragraph("", time, ` once it runs, at most ${bytes(told.memory_bytes)} of memory and `
        + `${bytes(told.disk_bytes)} of disk; ${basis}.`)];
    if (told.fits === false) {
        const smaller = told.alternatives.map(one => `${one.change} (about ${bytes(one.memory_bytes)})`);
        lines.push(paragraph("note bad", `It fits on no worker, which have ${bytes(told.largest_memory_bytes)} `
            + "at most, and would be rejected. "
            + (smaller.length ? `It would fit with ${smaller.join(", or ")}.` : "No smaller form of it fits.")));
    }
    for (const warning of told.warnings) lines.push(paragraph("note warn", warning));
    return lines;
}

function inWords(problem) { return `found ${problem.found}; allowed: ${problem.allowed}`; }

function withPlace(problem) { return `${problem.pointer || "/"}: ${inWords(problem)}`; }

const asking = [];
function askAgain() { for (const ask of asking) ask(); }

// `make` gives what to ask, or null where there is nothing to ask about, or why there is not.
function tellEstimate(form, make) {
    const place = form.querySelector(".estimate");
    // Beside fields that have a place for it what is wrong with them is said.
    const beside = [...form.querySelectorAll("[data-problem]")];
    const owner = problem => beside.find(one => one.dataset.problem === problem.pointer);
    let timer, running;
    const show = lines => {
        place.classList.remove("is-asking");
        place.replaceChildren(...lines);
    };
    const ask = async () => {
        running?.abort();
        const wanted = make();
        if (!wanted?.address) return show(wanted ? [paragraph("", wanted)] : []);
        const own = running = new AbortController();
        place.classList.add("is-asking");
        let told;
        try {
            const answer = await fetch(wanted.address, { ...wanted.request, signal: own.signal });
            told = await answer.json();
        } catch (error) {
            if (own.signal.aborted) return;
            told = { error: error.message };
        }
        if (running !== own) return;
        if (told.error === undefined) {
            for (const one of beside) {
                const problem = told.problems?.find(problem => owner(problem) === one);
                one.textContent = problem ? inWords(problem) : "";
            }
        }
        if (told.problems) {
            const others = told.problems.filter(problem => !owner(problem)).map(withPlace);
            return show(others.length ? others.slice(0, 3).map(one => paragraph("", "No estimate yet: " + one))
                : [paragraph("", "No estimate yet.")]);
        }
        show(told.error ? [paragraph("", `What it would take is not known: ${told.error}`)] : figures(told));
    };
    const later = () => { clearTimeout(timer); timer = setTimeout(ask, 400); };
    form.addEventListener("input", later);
    form.addEventListener("change", later);
    asking.push(later);
    later();
}

// What was sent is not sent again by a second press: it would be a second job. A form that this script sends comes
// held: a browser by itself would send it nowhere, and show it empty.
function hold(form, isHeld) { form.querySelector("button.primary").disabled = isHeld; }

addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-drawing], form[data-new], form[data-json]")) {
        hold(form, false);
    }
});

const drawing = document.querySelector("form[data-drawing]");
if (drawing) {
    drawing.addEventListener("submit", () => hold(drawing, true));
    // The shapes of the model that is chosen, its usual one first.
    const { model, size } = drawing.elements;
    const offer = () => {
        size.setAttribute("list", "shapes-" + model.value);
        size.placeholder = size.list?.options[0]?.value ?? "";
    };
    drawing.addEventListener("change", offer);
    addEventListener("pageshow", offer);
    tellEstimate(drawing, () => drawing.elements.prompts.value.trim() && drawing.elements.model.value
        ? question("/playground/estimate", new URLSearchParams(new FormData(drawing))) : null);
}

// --- New job

function say(lines) {
    const place = document.querySelector("#problems");
    place.replaceChildren();
    if (!lines.length) return;
    const list = document.createElement("ul");
    list.className = "problems note bad";
    for (const line of lines) {
        const item = document.createElement("li");
        item.textContent = line;
        list.append(item);
    }
    place.append(list);
    place.scrollIntoView({ block: "nearest" });
}

// Goes on to the job's page; gives why not, where it was not taken.
async function send(body, tenant) {
    let answer;
    try {
        answer = await fetch(ofTenant("/api/jobs", tenant), posting(body));
    } catch (error) { return [`It was not sent: ${error.message}`]; }
    const result = await answer.json().catch(() => ({ error: `It was answered ${answer.status}, and not why.` }));
    if (answer.ok) { location.href = result.page; return []; }
    return result.problems?.map(withPlace) ?? [result.error];
}

async function publish(form, body, tenant) {
    hold(form, true);
    say([]);
    const troubles = await send(body, tenant);
    say(troubles);
    if (troubles.length) hold(form, false);
}

function base64(buffer) {
    const bytes = new Uint8Array(buffer);
    let text = "";
    for (let start = 0; start < bytes.length; start += 32768) {
        text += String.fromCharCode(...bytes.subarray(start, start + 32768));
    }
    return btoa(text);
}

// A PNG, JPEG or WebP as it is; anything else the browser can show, and what is too large, drawn again as a PNG.
async function asData(file) {
    const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
    const begins = (bytes, from = 0) => bytes.every((byte, index) => head[from + index] === byte);
    const isKnown = begins([0x89, 0x50, 0x4E, 0x47]) || begins([0xFF, 0xD8, 0xFF])
        || begins([0x52, 0x49, 0x46, 0x46]) && begins([0x57, 0x45, 0x42, 0x50], 8);
    if (isKnown && file.size <= 16 << 20) return base64(await file.arrayBuffer());
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, 1536 / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise(done => canvas.toBlob(done, "image/png"));
    return base64(await blob.arrayBuffer());
}

const learning = document.querySelector("form[data-new]");
if (learning) {
    const pictures = [];
    const fields = learning.elements;
    const shown = learning.querySelector(".dropped");
    const drop = learning.querySelector("[data-drop]");
    const chooser = drop.querySelector("input");
    let reading = 0;

    const show = () => {
        shown.replaceChildren(...pictures.map((picture, index) => {
            const item = document.createElement("li");
            const image = document.createElement("img");
            image.src = picture.address;
            image.alt = picture.name;
            const button = document.createElement("button");
            button.type = "button";
            button.textContent = "Remove";
            button.setAttribute("aria-label", `Remove ${picture.name}`);
            button.onclick = () => {
                URL.revokeObjectURL(picture.address);
                pictures.splice(index, 1);
                show();
                // The button that had the focus is gone: the next has it, or where pictures are given.
                (shown.querySelectorAll("button")[Math.min(index, pictures.length - 1)] ?? chooser).focus();
                askAgain();
            };
            item.append(image, button);
            return item;
        }));
    };
    // What is not read to its end would not be sent along: until then nothing is published.
    const add = async files => {
        if (!files.length) return;
        const note = document.createElement("li");
        note.textContent = files.length === 1 ? "Reading 1 picture…" : `Reading ${files.length} pictures…`;
        shown.append(note);
        reading += 1;
        hold(learning, true);
        const troubles = [];
        for (const file of files) {
            try {
                pictures.push({ data: await asData(file), name: file.name, address: URL.createObjectURL(file) });
            } catch { troubles.push(`${file.name} is no picture that this browser reads: save it as JPEG or PNG`); }
        }
        reading -= 1;
        hold(learning, reading > 0);
        say(troubles);
        show();
        askAgain();
    };
    drop.addEventListener("dragover", event => { event.preventDefault(); drop.classList.add("over"); });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", event => {
        event.preventDefault();
        drop.classList.remove("over");
        add([...event.dataTransfer.files]);
    });
    chooser.addEventListener("change", () => {
        add([...chooser.files]);
        chooser.value = "";
    });

    const table = () => learning.querySelector(`[data-table="${fields.method.value} ${fields.role.value}"]`);
    const fit = () => {
        for (const option of fields.method.options) {
            option.hidden = option.disabled = !option.dataset.roles.split(" ").includes(fields.role.value);
        }
        if (fields.method.selectedOptions[0]?.disabled) {
            fields.method.value = [...fields.method.options].find(option => !option.disabled)?.value ?? "";
        }
        const models = (fields.method.selectedOptions[0]?.dataset.models ?? "").split(" ");
        for (const option of fields.model.options) option.hidden = option.disabled = !models.includes(option.value);
        if (fields.model.selectedOptions[0]?.disabled) fields.model.value = models[0];
        // What is not shown is not checked either: nobody would see why nothing is sent.
        for (const one of learning.querySelectorAll("[data-table]")) one.hidden = one.disabled = one !== table();
        fields.class.required = fields.role.value === "subject";
    };
    learning.addEventListener("change", fit);
    fit();

    const value = input => {
        if (input.dataset.as === "number") return Number(input.value);
        return input.dataset.as === "flag" ? input.value === "true" : input.value;
    };
    const body = images => {
        const options = {};
        for (const input of table()?.querySelectorAll("[data-option]") ?? []) {
            if (input.value !== "") options[input.dataset.option] = value(input);
        }
        const concept = { name: fields.name.value, role: fields.role.value };
        if (fields.class.value) concept.class = fields.class.value;
        const body = {
            version: 1, kind: "personalize", concept, method: fields.method.value, model: fields.model.value, images,
            prompts: fields.prompts.value.split("\n").map(line => line.trim()).filter(Boolean),
        };
        if (fields.preview_every.value !== "") body.preview_every = Number(fields.preview_every.value);
        if (fields.continue_from.value !== "") body.continue_from = fields.continue_from.value;
        if (Object.keys(options).length) body.options = options;
        return body;
    };
    // A seed has 63 bits, and a number of JavaScript's 53: its digits are written as they are.
    const message = body => {
        const text = JSON.stringify(body);
        const seed = fields.seed.value;
        if (seed === "") return text;
        return `${text.slice(0, -1)},"seed":${/^\d+$/.test(seed) ? BigInt(seed) : Number(seed)}}`;
    };
    learning.addEventListener("invalid", event => {
        const folded = event.target.closest("details");
        if (folded) folded.open = true;
    }, true);
    learning.addEventListener("submit", event => {
        event.preventDefault();
        publish(learning, message(body(pictures.map(picture => ({ data: picture.data })))), fields.tenant?.value);
    });
    // What is not filled in yet does not change what it takes: something stands for it.
    const unfinished = () => {
        const draft = body(Array(Math.max(1, pictures.length)).fill(anyPicture));
        draft.concept.name ||= fields.name.placeholder;
        if (draft.concept.role === "subject") draft.concept.class ||= fields.class.placeholder;
        return draft;
    };
    tellEstimate(learning, () => fields.model.value
        ? question(ofTenant("/api/estimates", fields.tenant?.value), message(unfinished()))
        : "No living worker holds a model that could do it: what it would take is not known.");

    const written = document.querySelector("form[data-json]");
    written.addEventListener("submit", event => {
        event.preventDefault();
        publish(written, written.elements.json.value, written.elements.tenant?.value);
    });
    tellEstimate(written, () => {
        if (written.hidden) return null;
        let draft;
        try { draft = JSON.parse(written.elements.json.value); } catch { return null; }
        // Pictures need not travel for it.
        if (Array.isArray(draft?.images)) {
            draft.images = draft.images.map(image => image?.data || image?.png
                ? { ...anyPicture, ...image.crop && { crop: image.crop } } : image);
        }
        return question(ofTenant("/api/estimates", written.elements.tenant?.value), JSON.stringify(draft));
    });
    const tabs = [...document.querySelectorAll("[role=tab]")];
    const choose = tab => {
        for (const one of tabs) {
            one.setAttribute("aria-selected", String(one === tab));
            document.getElementById(one.getAttribute("aria-controls")).hidden = one !== tab;
        }
    };
    for (const tab of tabs) tab.addEventListener("click", () => { choose(tab); askAgain(); });
    if (document.querySelector("[data-start]")) choose(tabs[1]);

    // A reload keeps what was written, as going back does; pictures have to be given again.
    const inputs = [learning, written].flatMap(form => [...form.elements])
        .filter(one => one.matches("input:not([type=file]), select, textarea"));
    addEventListener("pagehide", () => {
        const tab = tabs.findIndex(one => one.getAttribute("aria-selected") === "true");
        const values = inputs.map(one => one.value);
        // What is too long for that is not kept.
        try { sessionStorage.setItem(location.href, JSON.stringify({ tab, values })); } catch {}
    });
    if (performance.getEntriesByType("navigation")[0]?.type === "reload") {
        const { tab, values } = JSON.parse(sessionStorage.getItem(location.href) ?? "{}");
        if (values?.length === inputs.length) {
            inputs.forEach((input, index) => { input.value = values[index]; });
            fit();
            choose(tabs[tab]);
        }
    }
    for (const form of [learning, written]) hold(form, false);
}
