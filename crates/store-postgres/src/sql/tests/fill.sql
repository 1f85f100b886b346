-- Rows of three tenants, for plans, of which nobody takes figures by himself. Foreign keys are not looked at meanwhile.
DO $$
DECLARE
    v_table regclass;
BEGIN
    FOR v_table IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', v_table);
    END LOOP;
END
$$;
SET session_replication_role = replica;
INSERT INTO tenant (id,name,time_zone,created_at) SELECT t, 't'||t, 'UTC', 0 FROM generate_series(1,3) t;
INSERT INTO integration_authentication (tenant_id,id,name,integration_kind,is_active,created_at) SELECT t,i,'a'||i,'RevIo',1,
    0 FROM generate_series(1,3) t, generate_series(1,20) i;
INSERT INTO service_provider SELECT t,i,'p'||i,'Jasper',NULL,1,1,0,0 FROM generate_series(1,3) t, generate_series(1,20) i;
INSERT INTO rev_customer (tenant_id,id,name,integration_authentication_id,is_active,created_at,modified_at) SELECT t,i,
    'c'||i,1+i%20,1,0,0 FROM generate_series(1,3) t, generate_series(1,500) i;
INSERT INTO site SELECT t,i,'s'||i,i,1,0,0 FROM generate_series(1,3) t, generate_series(1,500) i;
INSERT INTO customer_rate_plan (tenant_id,id,name,is_active,created_at,modified_at) SELECT t,i,'c'||i,1,0,0 FROM
    generate_series(1,3) t, generate_series(1,200) i;
INSERT INTO customer_rate_pool SELECT t,i,'c'||i,1,0,0 FROM generate_series(1,3) t, generate_series(1,200) i;
INSERT INTO device SELECT t,i,1+i%20,'8901'||(10000000000000+i),(5000000000+i)::text,'imei','ACTIVATED',0,0,0,NULL,NULL,NULL,
    NULL,0,0 FROM generate_series(1,3) t, generate_series(1,4000) i;
INSERT INTO device_tenant SELECT t,i,1+i%500,1+i%500,'acc',1,1+i%200,1+i%200,'500',NULL,NULL,1,0,1,'x',0 FROM
    generate_series(1,3) t, generate_series(1,4000) i;
INSERT INTO rev_service (tenant_id,id,rev_customer_id,number,iccid,rev_service_id,device_id,has_package,disconnected_date)
    SELECT t,i,1+i%500,'5','8',i,i,0,CASE WHEN i%5=0 THEN 1 END FROM generate_series(1,3) t, generate_series(1,4000) i;
INSERT INTO rev_service_product (tenant_id,id,rev_service_id,rev_customer_id,rev_service_product_id,rev_product_id,status)
    SELECT t,i,1+i%4000,1+(i%4000+1)%500,i,1,CASE WHEN i%3=0 THEN 'ACTIVE' ELSE 'DISCONNECTED' END FROM generate_series(1,3)
    t, generate_series(1,8000) i;
INSERT INTO device_bulk_change (tenant_id,id,change_request_type_id,portal_type,service_provider_id,identifier,order_json,
    created_by,created_by_id,runs_as_id,created_at,stored_order,started_at,processed_at,attempt,
    first_device_change_id,last_device_change_id,total_count,open_count,processed_count,error_count,canceled_count,
    rejected_count,duplicate_count,scheduled_failed_count,integration_authentication_id) SELECT t,i,4,0,1,'iccid','{}','x',1,
    1,0,i,0,CASE WHEN i<49 THEN 1 END,1,i*200,i*200+199,200,0,0,0,0,0,0,0,1 FROM generate_series(1,3) t, generate_series(1,
    50) i;
INSERT INTO device_bulk_change_page SELECT t,i,p,i*200+p*20,i*200+p*20+19,'completed',1,NULL,NULL,0,NULL FROM
    generate_series(1,3) t, generate_series(1,50) i, generate_series(0,9) p;
UPDATE device_bulk_change SET carrier_authentication_id = 2 WHERE id % 2 = 0;
INSERT INTO device_change (tenant_id,id,bulk_change_id,request_position,device_id,iccid,holds,status,is_processed,attempt,
    error_code,next_check_at) SELECT t,i,i/200,i%200,1+i%4000,'89',CASE WHEN i%50=0 THEN 1 WHEN i%333=0 THEN 4 ELSE 0 END,
    CASE WHEN i%100=1 THEN 'PENDING' WHEN i%20=2 THEN 'ERROR' ELSE 'PROCESSED' END,1,1,CASE WHEN i%20=2 THEN
    'device_not_found' END,CASE WHEN i%100=1 THEN i END FROM generate_series(1,3) t, generate_series(200,10199) i;
INSERT INTO device_change_step (tenant_id,device_change_id,step,part,state,attempt,at) SELECT t,i,'rev_service',p,'done',1,0
    FROM generate_series(1,3) t, generate_series(200,2199) i, generate_series(0,1) p;
INSERT INTO device_change_step (tenant_id,device_change_id,step,part,state,attempt,external_id,at) SELECT t,i,
    'carrier_rate_plan',0,'waiting',1,'r'||i/10,0 FROM generate_series(1,3) t, generate_series(200,2199) i;
INSERT INTO carrier_rate_plan SELECT t,i,1+i%20,'code'||i,'n'||i%100,1 FROM generate_series(1,3) t, generate_series(1,2000) i;
INSERT INTO customer_rate_plan_device_queue (tenant_id,device_change_id,bulk_change_id,device_id,customer_rate_plan_id,
    effective_date,portal_type,created_by,created_at,is_active,state,attempt) SELECT t,i,i/200,1+i%4000,1,i*1000,0,'x',0,1,
    CASE WHEN i%4=0 THEN 'open' ELSE 'applied' END,1 FROM generate_series(1,3) t, generate_series(200,6199) i;
INSERT INTO device_bulk_change_log (tenant_id,bulk_change_id,device_change_id,attempt,entry,month,portal_type,
    log_entry_description,process_by,processed_at,has_errors,response_status) SELECT t,i/200,i,1,1,202610+i%4,0,'x','x',0,0,
    'x' FROM generate_series(1,3) t, generate_series(200,6199) i;
INSERT INTO device_action_history (tenant_id,device_id,at,bulk_change_id,attempt,entry,month,action,old_value,new_value,
    changed_by) SELECT t,1+i%4000,0,i/200,1,1,202610+i%4,'x','x','x','x' FROM generate_series(1,3) t, generate_series(200,
    6199) i;
INSERT INTO cross_provider_device_history (tenant_id,device_id,bulk_change_id,attempt,entry,service_provider_id,valid_from)
    SELECT t,i,1,1,1,1,0 FROM generate_series(1,3) t, generate_series(1,4000) i;
INSERT INTO sync_run (tenant_id,id,integration_authentication_id,with_customers,with_services,is_full,state,phase,page,
    after_id,read_count,new_count,changed_count,unchanged_count,left_out_count,gone_count,billed_not_assigned_count,
    assigned_not_billed_count,ordered_by,started_at,due_at,epoch,failures) SELECT t,i,1+i%20,1,1,1,'done','x',1,0,0,0,0,0,0,
    0,0,0,'x',i,i,1,0 FROM generate_series(1,3) t, generate_series(1,200) i;
INSERT INTO sync_finding SELECT t,i,'new','service',j,1,1,1,'l','h','t',0 FROM generate_series(1,3) t, generate_series(1,
    200) i, generate_series(1,100) j;
INSERT INTO sync_run_line SELECT t,i,j FROM generate_series(1,3) t, generate_series(1,200) i, generate_series(1,20) j;
INSERT INTO device_usage (tenant_id,device_id,data_bytes,at) SELECT t,i,1,0 FROM generate_series(1,3) t,
    generate_series(1,4000) i;
INSERT INTO outside_call_window SELECT t,a,'minute',b,1 FROM generate_series(1,3) t, generate_series(1,20) a,
    generate_series(1,500) b;
INSERT INTO api_key (tenant_id,id,name,secret_hash,scopes,reach,created_at) SELECT t,i,'k','x','x','*',0 FROM
    generate_series(1,3) t, generate_series(1,50) i;
INSERT INTO users (id,email,display_name,invitation_hash,oidc_issuer,oidc_subject,is_active,created_at) SELECT i,'e'||i,'d',
    ('i'||i)::bytea,'o','s'||i,1,0 FROM generate_series(1,3000) i;
INSERT INTO user_tenant SELECT i,1+i%3 FROM generate_series(1,3000) i;
INSERT INTO sign_in_failure SELECT ('f'||i)::bytea,1,i FROM generate_series(1,1000) i;
INSERT INTO role SELECT t,i,'r'||i,'m2m:view' FROM generate_series(1,3) t, generate_series(1,20) i;
INSERT INTO member SELECT 1+i%3,i,i,'*',1,0 FROM generate_series(1,3000) i;
INSERT INTO member_role SELECT 1+i%3,i,1+i%20 FROM generate_series(1,3000) i;
INSERT INTO session SELECT 1+i%3,('s'||i)::bytea,i,0,0,i,'a','b' FROM generate_series(1,3000) i;
INSERT INTO idempotency_key (tenant_id,caller,idempotency_key,body_hash,created_at) SELECT t,i%100,'k'||i,'x',i FROM
    generate_series(1,3) t, generate_series(1,500) i;
INSERT INTO outbox SELECT t,i,'k',1,1,0 FROM generate_series(1,3) t, generate_series(1,1000) i;
INSERT INTO tenant_work SELECT t,k,1 FROM generate_series(1,3) t, unnest(ARRAY['plan_queue','sync','outbox','bulk_change']) k;
INSERT INTO id_counter SELECT t,k,1 FROM generate_series(1,3) t, unnest(ARRAY['plan_queue','sync','outbox','bulk_change']) k;
INSERT INTO audit_entry (tenant_id,month,at,request_id,actor,principal_id,who,action,target) SELECT t,202609+i%4,i,i,'key',i%50,'x',
    'a'||i%40,CASE WHEN i%2=0 THEN 'bulk-changes/'||i/3 END FROM generate_series(1,3) t, generate_series(1,6000) i;
INSERT INTO audit_outcome (tenant_id,month,at,request_id,finished_at,result,made) SELECT t,202609+i%4,i,i,0,'done',
    CASE WHEN i%3=0 THEN 'bulk-changes/'||i END FROM generate_series(1,3) t, generate_series(1,6000) i;
INSERT INTO selection SELECT 1+i%3,i,0,20,i FROM generate_series(1,3000) i;
INSERT INTO selection_line SELECT 1+i%3,i,0,j FROM generate_series(1,3000) i, generate_series(1,20) j;
