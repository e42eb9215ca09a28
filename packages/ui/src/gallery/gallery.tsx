import { Inbox, Plus, RotateCw, Search, Settings2, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { Badge } from "../components/badge.tsx";
import { Button } from "../components/button.tsx";
import { Chip } from "../components/chip.tsx";
import { ConfirmDialog } from "../components/confirm-dialog.tsx";
import { ContextMeter } from "../components/context-meter.tsx";
import { CopyButton } from "../components/copy-button.tsx";
import { Dialog } from "../components/dialog.tsx";
import { DropZone } from "../components/drop-zone.tsx";
import { EmptyState } from "../components/empty-state.tsx";
import { ErrorNote } from "../components/error-note.tsx";
import { IconButton } from "../components/icon-button.tsx";
import { Markdown } from "../components/markdown/markdown.tsx";
import { Menu, MenuCheckItem, MenuChoice, MenuItem, MenuLabel, MenuSeparator } from "../components/menu.tsx";
import { ProgressBar } from "../components/progress-bar.tsx";
import { Select } from "../components/select.tsx";
import { Slider } from "../components/slider.tsx";
import { Spinner } from "../components/spinner.tsx";
import { SplitPane } from "../components/split-pane.tsx";
import { StackedBar } from "../components/stacked-bar.tsx";
import { Switch } from "../components/switch.tsx";
import { Tabs } from "../components/tabs.tsx";
import { TextArea } from "../components/text-area.tsx";
import { TextField } from "../components/text-field.tsx";
import { Wordmark } from "../components/wordmark.tsx";
import { sampleAnswer, sampleCitations } from "./sample-answer.ts";

/** Every component in its states, on one page. */
export function Gallery() {
  return (
    <main className="mx-auto flex max-w-5xl flex-col gap-8 p-6">
      <h1>
        <Wordmark />
      </h1>
      <Part title="Buttons">
        {(["primary", "secondary", "quiet", "danger"] as const).map((variant) => (
          <div key={variant} className="flex flex-wrap items-center gap-2">
            <Button variant={variant}>{variant}</Button>
            <Button variant={variant} icon={<Plus />}>
              With icon
            </Button>
            <Button variant={variant} size="small">
              Small
            </Button>
            <Button variant={variant} busy>
              Busy
            </Button>
            <Button variant={variant} disabled>
              Disabled
            </Button>
          </div>
        ))}
        <div className="flex flex-wrap items-center gap-2">
          <IconButton label="Settings" icon={<Settings2 />} />
          <IconButton label="Pressed" icon={<Search />} aria-pressed />
          <IconButton label="Small" size="small" icon={<RotateCw />} />
          <IconButton label="Remove" variant="danger" icon={<Trash2 />} />
          <IconButton label="Send" variant="primary" icon={<Plus />} />
          <IconButton label="Disabled" icon={<Settings2 />} disabled />
          <CopyButton label="Copy" text="copied text" />
        </div>
      </Part>
      <Fields />
      <Part title="Badges, chips, progress">
        <div className="flex flex-wrap items-center gap-2">
          <Badge>Neutral</Badge>
          <Badge tone="accent">Ready</Badge>
          <Badge tone="warning">Paused</Badge>
          <Badge tone="danger">Failed</Badge>
          <Chip>Plain</Chip>
          <Chip icon={<Inbox aria-hidden="true" />} onPress={() => undefined}>
            Contracts
          </Chip>
          <Chip selected onPress={() => undefined}>
            Selected
          </Chip>
          <Chip onRemove={() => undefined}>A rather long name of an attached document.pdf</Chip>
          <Spinner />
          <ContextMeter usedTokens={1234} replyTokens={1024} contextSize={8192} />
          <ContextMeter usedTokens={7600} replyTokens={1024} contextSize={8192} />
          <ContextMeter usedTokens={9100} replyTokens={1024} contextSize={8192} />
        </div>
        <ProgressBar label="Reading" value={0.4} />
        <ProgressBar label="Waiting" value={null} />
        <StackedBar
          label="Memory"
          whole={10}
          limit={8}
          parts={[1, 2, 3, 4].map((part) => ({
            key: String(part),
            value: part,
            className: ["", "bg-part-1", "bg-part-2", "bg-part-3", "bg-part-4"][part]!,
          }))}
        />
      </Part>
      <Part title="Notes and empty states">
        <ErrorNote action={<Button size="small">Try again</Button>} onDismiss={() => undefined}>
          The file report.pdf is protected by a password; save a copy without one and add that.
        </ErrorNote>
        <ErrorNote tone="warning">The file was moved; here is the text we read.</ErrorNote>
        <EmptyState icon={<Inbox />} title="Nothing here yet" action={<Button variant="primary">Add files</Button>}>
          Drop files here. They are read where they lie.
        </EmptyState>
      </Part>
      <Overlays />
      <Part title="Panes and drop zone">
        <SplitPane
          className="h-40 overflow-hidden rounded-lg border border-line"
          label="Width of the right pane"
          sideLabel="Right pane"
          initialWidth={320}
          main={<div className="p-3">Main</div>}
          side={<div className="h-full bg-sunken p-3">Side</div>}
        />
        <DropZone label="Drop to add" onFiles={() => undefined} className="rounded-lg border border-line p-8">
          Drag files over this.
        </DropZone>
      </Part>
      <Part title="An answer">
        <Markdown text={sampleAnswer} citations={sampleCitations} activeCitation={2} />
      </Part>
    </main>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-3">
      <h2 className="border-b border-line pb-1 text-lg font-semibold">{title}</h2>
      {children}
    </section>
  );
}

function Fields() {
  const [text, setText] = useState("");
  const [choice, setChoice] = useState("b");
  const [value, setValue] = useState(0.6);
  const [on, setOn] = useState(true);
  const [tab, setTab] = useState("one");
  return (
    <Part title="Fields">
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          label="Name"
          placeholder="Contracts"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <TextField label="Search" type="search" icon={<Search />} placeholder="Search" />
        <TextField label="With a hint" hint="The file stays where it is." />
        <TextField label="Wrong" defaultValue="Contracts" error="There is one of this name; choose another." />
        <TextArea label="System prompt" value={text} onChange={(event) => setText(event.target.value)} />
        <Select
          label="Model"
          value={choice}
          onValueChange={setChoice}
          options={["a", "b", "c"].map((letter) => ({ value: letter, label: `Model ${letter}` }))}
        />
        <Slider
          label="Temperature"
          hint="Higher is more varied."
          min={0}
          max={2}
          step={0.05}
          value={value}
          onValueChange={setValue}
          format={(shown) => shown.toFixed(2)}
        />
        <Switch label="Share with the room" hint="Off until switched on." checked={on} onCheckedChange={setOn} />
        <TextField label="Disabled" disabled defaultValue="Cannot be changed" />
      </div>
      <Tabs
        label="Views"
        value={tab}
        onValueChange={setTab}
        tabs={[
          { value: "one", label: "Documents", content: "The first view." },
          { value: "two", label: "Try a search", content: "The second view." },
        ]}
      />
    </Part>
  );
}

function Overlays() {
  const [dialog, setDialog] = useState(false);
  const [confirm, setConfirm] = useState(false);
  const [checked, setChecked] = useState(true);
  const [choice, setChoice] = useState("system");
  return (
    <Part title="Dialogs and menus">
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => setDialog(true)}>Open dialog</Button>
        <Button onClick={() => setConfirm(true)}>Open confirmation</Button>
        <Menu align="start" trigger={<Button>Open menu</Button>}>
          <MenuItem icon={<Settings2 />} onSelect={() => undefined}>
            Settings
          </MenuItem>
          <MenuItem disabled onSelect={() => undefined}>
            Not now
          </MenuItem>
          <MenuCheckItem checked={checked} onCheckedChange={setChecked}>
            Wrap lines
          </MenuCheckItem>
          <MenuSeparator />
          <MenuLabel>Theme</MenuLabel>
          <MenuChoice
            value={choice}
            onValueChange={setChoice}
            options={["light", "dark", "system"].map((value) => ({ value, label: value }))}
          />
          <MenuSeparator />
          <MenuItem dangerous icon={<Trash2 />} onSelect={() => undefined}>
            Delete
          </MenuItem>
        </Menu>
      </div>
      <Dialog
        open={dialog}
        onOpenChange={setDialog}
        title="Rename the collection"
        description="Its documents stay as they are."
        actions={
          <>
            <Button onClick={() => setDialog(false)}>Cancel</Button>
            <Button variant="primary">Rename</Button>
          </>
        }
      >
        <TextField label="Name" defaultValue="Contracts" className="p-1" />
      </Dialog>
      <ConfirmDialog
        open={confirm}
        onOpenChange={setConfirm}
        title="Delete “Contracts”?"
        description="Its 12 documents and the index are removed for good."
        confirmLabel="Delete"
        dangerous
        onConfirm={() => undefined}
      />
    </Part>
  );
}
