"use strict";
// The dashboard's script sends forms to the control API, and reloads the page when the sandbox reports a
// change. The sandbox renders the pages; nothing here creates HTML.
(() => {
	const state = document.getElementById("state");
	const notice = document.getElementById("notice");

	const say = (text, bad) => {
		notice.textContent = text;
		notice.className = bad ? "bad" : "good";
		notice.hidden = false;
		clearTimeout(say.timer);
		if (!bad) say.timer = setTimeout(() => { notice.hidden = true; }, 4000);
	};

	const enable = root => root.querySelectorAll("button[disabled]").forEach(b => { b.disabled = false; });

	// body returns the values of a form as the control API expects them, without empty ones.
	const body = form => {
		const out = {};
		for (const e of form.elements) {
			if (!e.name || e.type === "file") continue;
			const kind = e.dataset.kind, text = e.value.trim();
			if (e.type === "checkbox") {
				if (e.checked || "was" in e.dataset) out[e.name] = e.checked;
			} else if (text === "") continue;
			else if (kind === "int") out[e.name] = Number(text);
			else if (kind === "bool") out[e.name] = text === "true";
			else if (kind === "list") out[e.name] = text.split(",").map(s => s.trim()).filter(s => s);
			else if (kind === "json") {
				try { out[e.name] = JSON.parse(text); } catch (err) { e.focus(); throw new Error(e.name + " is not JSON: " + err.message); }
			} else out[e.name] = text;
		}
		return JSON.stringify(out);
	};

	const problem = async reply => {
		try {
			const e = (await reply.json()).error;
			return e.errors.map(x => (x.field ? x.field + " " : "") + x.message).join("; ") || e.message;
		} catch { return "the sandbox replied with status " + reply.status; }
	};

	const send = async form => {
		const method = form.dataset.method;
		const options = { method };
		if ("file" in form.dataset) options.body = form.elements.file.files[0];
		else if (method !== "GET" && method !== "DELETE") options.body = body(form);
		if (options.body) options.headers = { "Content-Type": "application/json" };
		const reply = await fetch(form.dataset.path, options);
		if (!reply.ok) throw new Error(await problem(reply));
		const done = await reply.json();
		const label = form.querySelector("button[type=submit]").textContent;
		say(label + ": done" + (done.delivered || done.refused ? `, ${done.delivered} webhooks accepted, ${done.refused} refused` : "") + ".");
	};

	document.addEventListener("submit", async ev => {
		const form = ev.target;
		if (!form.dataset.path) return;
		ev.preventDefault();
		const button = form.querySelector("button[type=submit]");
		button.setAttribute("aria-busy", "true");
		try { await send(form); } catch (err) { say(err.message, true); }
		button.removeAttribute("aria-busy");
		refresh();
	});

	document.addEventListener("click", async ev => {
		const button = ev.target.closest("[data-copy]");
		if (!button) return;
		await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
		say("Copied.");
	});

	// mark returns a function that finds the focused element in the part that replaces this one.
	const mark = part => {
		const at = document.activeElement;
		if (!part.contains(at)) return null;
		const same = e => e.outerHTML.replace(/ disabled=""/g, "") === at.outerHTML.replace(/ disabled=""/g, "");
		return fresh => [...fresh.querySelectorAll(at.tagName)].find(e => at.tagName === "BUTTON" ? e.form && e.form.dataset.path === at.form.dataset.path && e.textContent === at.textContent : same(e));
	};

	const swap = text => {
		const page = new DOMParser().parseFromString(text, "text/html");
		for (const part of document.querySelectorAll("[data-live]")) {
			const fresh = page.getElementById(part.id);
			if (!fresh) continue;
			enable(fresh);
			if (fresh.innerHTML === part.innerHTML) continue;
			const find = mark(part);
			part.replaceWith(fresh);
			const at = find && find(fresh);
			if (at) at.focus();
		}
	};

	let busy = false, again = false;
	const refresh = async () => {
		if (busy) { again = true; return; }
		busy = true;
		const selecting = String(document.getSelection()) !== "";
		try {
			if (!selecting && !document.hidden) {
				const reply = await fetch(location.href, { headers: { Accept: "text/html" } });
				if (reply.ok) swap(await reply.text());
			} else again = true;
		} catch { /* the stream reports that the sandbox is gone */ }
		await new Promise(done => setTimeout(done, 400));
		busy = false;
		if (again) { again = false; refresh(); }
	};

	const stream = new EventSource("/_sandbox/stream");
	stream.addEventListener("open", () => { state.textContent = "live"; state.className = "state live"; refresh(); });
	stream.addEventListener("error", () => { state.textContent = "not connected"; state.className = "state"; });
	stream.addEventListener("change", refresh);
	addEventListener("pagehide", () => stream.close());
	enable(document);
	const here = document.querySelector("nav [aria-current]");
	if (here) here.parentElement.scrollLeft = here.offsetLeft - 40;
	if (location.hash) { const at = document.querySelector(`details[id="${CSS.escape(location.hash.slice(1))}"]`); if (at) at.open = true; }
})();
