import { useContext, type ReactNode } from "react";
import { answerContext } from "./answer-context.ts";
import { outsideAddress } from "./outside-address.ts";

/** A link an answer wrote. Never followed by itself: a press asks first, and its host stands beside it where the words hide it. */
export function AnswerLink({
  href,
  children,
  words,
}: {
  href: string | undefined;
  children: ReactNode;
  words: string;
}) {
  const { onLink } = useContext(answerContext);
  const address = outsideAddress(href);
  if (!address) return <>{children}</>;
  const host = address.protocol === "mailto:" ? address.pathname : address.host;
  return (
    <>
      <a
        href={address.href}
        rel="noopener noreferrer"
        target="_blank"
        onClick={(event) => {
          event.preventDefault();
          onLink(address.href);
        }}
        // The middle button would open a tab without asking.
        onAuxClick={(event) => event.preventDefault()}
      >
        {children}
      </a>
      {!words.toLowerCase().includes(host.toLowerCase()) && <span className="text-ink-muted"> ({host})</span>}
    </>
  );
}
