import { ArrowDown } from "lucide-react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../components/button.tsx";
import { useChat } from "../../stores/stores.tsx";
import { AnswerAnnouncer } from "./answer-announcer.tsx";
import { AssistantMessage } from "./assistant-message.tsx";
import { EndFollower } from "./end-follower.ts";
import { ToolAnnouncer } from "./tool-announcer.tsx";
import { UserMessage } from "./user-message.tsx";

/**
 * The messages. Stays at the end while the reader is there, and where the reader is otherwise. Messages out of sight are
 * not laid out (content-visibility), which keeps long conversations light and the browser's own search working.
 */
export function MessageList() {
  const { t } = useTranslation("chat");
  const conversationId = useChat((state) => state.conversationId);
  const messages = useChat((state) => state.messages);
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [follower] = useState(() => new EndFollower());
  const [away, setAway] = useState(false);
  const lastQuestion = messages.findLast(({ role }) => role === "user")?.id;

  const toEnd = () => {
    if (scroller.current) follower.toEnd(scroller.current);
  };

  // A conversation opens at its end, and asking goes there.
  useLayoutEffect(toEnd, [follower, conversationId, lastQuestion]);

  useEffect(() => {
    const outer = scroller.current;
    if (!outer || !content.current) return;
    const observer = new ResizeObserver(() => follower.resized(outer));
    observer.observe(content.current);
    // The composer takes room from the list when it grows.
    observer.observe(outer);
    return () => observer.disconnect();
  }, [follower]);

  const onScroll = () => {
    if (!scroller.current) return;
    follower.scrolled(scroller.current);
    setAway(follower.away);
  };

  return (
    <div className="relative min-h-0 flex-1">
      <div ref={scroller} onScroll={onScroll} className="h-full overflow-y-auto [overflow-anchor:none]">
        <div ref={content} className="mx-auto flex max-w-3xl flex-col gap-5 px-5 pt-2 pb-8">
          {messages.map((message) =>
            message.role === "user" ? (
              <UserMessage key={message.id} message={message} />
            ) : (
              <AssistantMessage key={message.id} message={message} />
            ),
          )}
        </div>
      </div>
      {away && (
        <div className="pointer-events-none absolute inset-x-0 bottom-2 flex justify-center">
          <Button
            size="small"
            icon={<ArrowDown aria-hidden="true" />}
            className="pointer-events-auto rounded-full! shadow-raised"
            onClick={toEnd}
          >
            {t("jumpToEnd")}
          </Button>
        </div>
      )}
      <AnswerAnnouncer />
      <ToolAnnouncer />
    </div>
  );
}
