/// PostgreSQL as it is where a statement takes too long, without the wait.
package enum StatementTimeout {
    /// SQL that ends every deletion of more than so many jobs at once, by a condition of PostgreSQL's.
    package static func onDeletingJobs(moreThan most: Int, as condition: String = "query_canceled") -> String {
        """
        create function public.time_out() returns trigger language plpgsql as $$ begin
            if (select count(*) from gone) > \(most) then
                raise exception using errcode = '\(condition)', message = 'it took too long';
            end if;
            return null;
        end $$;
        create trigger time_out after delete on atelier.jobs referencing old table as gone
            for each statement execute function public.time_out();
        """
    }
}
